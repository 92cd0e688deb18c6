//! A person with an account.

use super::{DisplayName, Email, Locale, PasswordHash, Role, Timestamp, UserId};

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Who, for ever: an address that is given up and taken again is another user.
    pub id: UserId,
    /// Where mail reaches them, and how they sign in.
    pub email: Email,
    /// Since when the address is known to be theirs.
    pub email_verified_at: Option<Timestamp>,
    /// What they want to be called.
    pub display_name: DisplayName,
    /// What letters to them are written in.
    pub locale: Locale,
    /// What they sign in with.
    pub password_hash: Option<PasswordHash>,
    /// What they may do, sorted.
    pub roles: Vec<Role>,
    /// Tokens of an earlier epoch are dead.
    pub epoch: UserEpoch,
    /// Since when they may not sign in.
    pub disabled_at: Option<Timestamp>,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// How often everything of a user's was revoked: a counter, so that no clock can bring a dead token back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UserEpoch(i64);

impl UserEpoch {
    /// From a stored or signed count.
    #[must_use]
    pub const fn from_count(count: i64) -> Self {
        Self(count)
    }

    /// One revocation later.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The count.
    #[must_use]
    pub const fn count(self) -> i64 {
        self.0
    }
}
