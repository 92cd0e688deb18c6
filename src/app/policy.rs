//! The rules that an operator can set.

use std::time::Duration;

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
}
