//! The rules that an operator can set.

use std::{str::FromStr, time::Duration};

use crate::domain::{PasswordPolicy, SessionLifetimes};

/// What the use cases abide by.
#[derive(Debug, Clone)]
pub struct Policy {
    /// `iss` of every token: the service's public URL.
    pub issuer: String,
    /// `aud` of every token: whom they are for.
    pub audience: String,
    /// From the making of an access token to its expiry, less up to 5 % of jitter.
    pub access_lifetime: Duration,
    /// How long sessions live.
    pub sessions: SessionLifetimes,
    /// The most live sessions a person may have; a new one ends the oldest.
    pub max_sessions_per_user: u32,
    /// How long ago the person may have proved who they are, where that must be fresh.
    pub step_up: Duration,
    /// From asking for an account's deletion to the deletion.
    pub deletion_grace: Duration,
    /// What a password must be.
    pub passwords: PasswordPolicy,
    /// Whether only a confirmed address signs in.
    pub require_verified_email: bool,
    /// How long a signing key signs.
    pub rotate_keys_every: Duration,
    /// How fresh the knowledge of revocations must be.
    pub staleness: Staleness,
}

/// What a node does with tokens that look good while it has no news of what others have revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStale {
    /// Refuses every call, for the caller to try again.
    Deny,
    /// Asks the database on every call; refuses where that does not answer.
    Strong,
    /// Lets them pass until they expire.
    AllowUntilExp,
}

/// How fresh a node's knowledge of revocations must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staleness {
    /// How old it may be.
    pub after: Duration,
    /// What happens when it is older.
    pub then: OnStale,
}

/// Not one of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be deny, strong or allow_until_exp")]
pub struct InvalidOnStale;

impl FromStr for OnStale {
    type Err = InvalidOnStale;

    fn from_str(text: &str) -> Result<Self, InvalidOnStale> {
        match text {
            "deny" => Ok(Self::Deny),
            "strong" => Ok(Self::Strong),
            "allow_until_exp" => Ok(Self::AllowUntilExp),
            _ => Err(InvalidOnStale),
        }
    }
}
