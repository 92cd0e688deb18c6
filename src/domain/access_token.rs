//! The access token as text, and what it says once it was verified.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::{Role, SessionId, Timestamp, TokenId, UserEpoch, UserId};

/// The longest that an operator can let an access token live.
pub const LONGEST_ACCESS_LIFETIME: Duration = Duration::from_mins(15);

/// A PASETO `v4.public` token.
#[derive(Debug, Clone)]
pub struct AccessToken(SecretString);

impl AccessToken {
    /// Takes the text as it arrived or was made; nothing is checked.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The text that travels.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// What an access token says of its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `jti`: this very token.
    pub id: TokenId,
    /// `sub`: who.
    pub user: UserId,
    /// `sid`: in which session.
    pub session: SessionId,
    /// `uep`: how often everything of the user's was revoked before it was made.
    pub epoch: UserEpoch,
    /// `roles`: what they may do.
    pub roles: Vec<Role>,
    /// `auth_time`: when they last proved who they are, in whole seconds.
    pub authenticated_at: Timestamp,
    /// `iat` and `nbf`: since when, in whole seconds.
    pub issued_at: Timestamp,
    /// `exp`: until when, in whole seconds.
    pub expires_at: Timestamp,
}
