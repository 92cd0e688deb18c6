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

/// A key that tokens are verified with, as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// `k4.pid.…`, the `kid` in a token's footer.
    pub id: KeyId,
    /// `k4.public.…`.
    pub key: String,
    /// What it is used for.
    pub state: KeyState,
    /// When it was published.
    pub not_before: Timestamp,
    /// When it stops counting, where that is known.
    pub not_after: Option<Timestamp>,
}

/// What a verifier needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeys {
    /// `iss` of the tokens that these keys verify.
    pub issuer: String,
    /// The keys, oldest first.
    pub keys: Vec<PublicKey>,
}

impl PublicKey {
    /// Whether what it signed counts at `now`.
    #[must_use]
    pub fn counts(&self, now: Timestamp) -> bool {
        self.not_after.is_none_or(|end| now < end)
    }
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

    /// What is published of it; nothing of a revoked one.
    #[must_use]
    pub fn public_key(&self) -> Option<PublicKey> {
        (self.state != KeyState::Revoked).then(|| PublicKey {
            id: self.id.clone(),
            key: self.public.clone(),
            state: self.state,
            not_before: self.created_at,
            not_after: self.not_after(),
        })
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
