//! What a verified access token says of whoever sent it.

use std::time::SystemTime;

use crate::{SessionId, TokenId, UserId};

/// What a verified access token says. The layer puts it into the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `sub`: who it is.
    pub user: UserId,
    /// `sid`: in which session.
    pub session: SessionId,
    /// `jti`: by which token. Remember this or the session, never the token's text.
    pub token: TokenId,
    /// `uep`: a counter that rises when all sessions of the user are ended.
    pub epoch: i64,
    /// `roles`: what they may do.
    pub roles: Vec<String>,
    /// `auth_time`: when they last proved who they are, in whole seconds.
    pub authenticated_at: SystemTime,
    /// `amr`: how they did (RFC 8176), for example `pwd`.
    pub methods: Vec<String>,
    /// `aal`: how sure that makes us (NIST SP 800-63B-4), 1 for a password alone.
    pub assurance: u8,
    /// `iat`: when the token was made, in whole seconds.
    pub issued_at: SystemTime,
    /// `exp`: until when it counts, in whole seconds; 30 seconds later it is refused.
    pub expires_at: SystemTime,
}

impl Claims {
    /// Whether the user has this role.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own == role)
    }
}
