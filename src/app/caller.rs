//! Who calls: a value that only authentication makes, and that every use case of a signed-in person asks for.

use super::{App, Error, Rejection};
use crate::{
    crypto::TokenRefusal,
    domain::{AccessToken, Claims, Role, SessionId, Timestamp, UserId},
};

/// A signed-in person. To hold one is to be allowed to call.
#[derive(Debug, Clone)]
pub struct Caller {
    pub(super) claims: Claims,
}

/// The holder of an access token that may have expired: allowed to end that token's session, and nothing else.
#[derive(Debug, Clone)]
pub struct Leaver {
    pub(super) claims: Claims,
}

impl Caller {
    /// Who.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.claims.user
    }

    /// In which session.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.claims.session
    }

    /// What they may do.
    #[must_use]
    pub fn roles(&self) -> &[Role] {
        &self.claims.roles
    }

    /// When they last proved who they are.
    #[must_use]
    pub fn authenticated_at(&self) -> Timestamp {
        self.claims.authenticated_at
    }
}

impl App {
    /// Finds out who calls, without the database.
    ///
    /// # Errors
    /// [`Rejection::NotSignedIn`] without a token; [`Rejection::TokenExpired`], [`Rejection::TokenInvalid`],
    /// [`Rejection::SessionEnded`].
    pub fn authenticate(&self, token: Option<&AccessToken>) -> Result<Caller, Error> {
        let token = token.ok_or(Rejection::NotSignedIn)?;
        let claims = self.0.access_tokens.verify(token, self.0.clock.now()).map_err(|refusal| match refusal {
            TokenRefusal::Invalid => Rejection::TokenInvalid,
            TokenRefusal::Expired(_) => Rejection::TokenExpired,
        })?;
        if self.0.revocations.contains(claims.session) {
            return Err(Rejection::SessionEnded.into());
        }
        Ok(Caller { claims })
    }

    /// Finds out whose session a token was of, although it may have expired: enough for ending that session.
    ///
    /// # Errors
    /// [`Rejection::NotSignedIn`] without a token; [`Rejection::TokenInvalid`].
    pub fn authenticate_to_leave(&self, token: Option<&AccessToken>) -> Result<Leaver, Error> {
        let token = token.ok_or(Rejection::NotSignedIn)?;
        match self.0.access_tokens.verify(token, self.0.clock.now()) {
            Ok(claims) => Ok(Leaver { claims }),
            Err(TokenRefusal::Expired(claims)) => Ok(Leaver { claims: *claims }),
            Err(TokenRefusal::Invalid) => Err(Rejection::TokenInvalid.into()),
        }
    }
}
