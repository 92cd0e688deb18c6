//! A signing key as it is kept: the public half in the clear, the secret half sealed.

use super::{KeyId, STAYS_REVOKED_FOR, Timestamp};

/// A key pair that access tokens are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// The PASERK id of the public half, `k4.pid.…`.
    pub id: KeyId,
    /// The public half, `k4.public.…`.
    pub public: String,
    /// The secret half under the master key, a PASETO `v4.local`.
    pub sealed: String,
    /// What it may be used for.
    pub state: KeyState,
    /// When it was made, and published.
    pub created_at: Timestamp,
    /// Since when it is in its state.
    pub since: Timestamp,
}

impl SealedKey {
    /// From when on it verifies nothing, where that is known: when no token is left that it signed. From then on whoever finds
    /// its secret half has found nothing.
    #[must_use]
    pub fn not_after(&self) -> Option<Timestamp> {
        match self.state {
            KeyState::Next | KeyState::Active => None,
            KeyState::Retired => Some(self.since + STAYS_REVOKED_FOR),
            KeyState::Revoked => Some(self.since),
        }
    }

    /// Whether what it signed counts at `now`.
    #[must_use]
    pub fn counts(&self, now: Timestamp) -> bool {
        self.state != KeyState::Revoked && self.not_after().is_none_or(|end| now < end)
    }
}

/// What a signing key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Published, so that verifiers know it before it signs.
    Next,
    /// Signs; there is one.
    Active,
    /// Signs no more; what it signed is good until it expires.
    Retired,
    /// What it signed is good no more.
    Revoked,
}

impl KeyState {
    /// Every state, for reading them back.
    pub const ALL: [Self; 4] = [Self::Next, Self::Active, Self::Retired, Self::Revoked];

    /// The name that is stored and published.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }
}
