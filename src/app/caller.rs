//! Who calls: a value that only authentication makes, and that every use case of a signed-in person asks for.

use std::time::Duration;

use super::{App, Error, Rejection};
use crate::{
    crypto::TokenRefusal,
    domain::{AccessToken, Claims, Role, Session, SessionId, SessionState, Timestamp, User, UserId},
};

/// A signed-in person. To hold one is to be allowed to call.
#[derive(Debug, Clone)]
pub struct Caller {
    pub(super) claims: Claims,
}

/// A signed-in person who proved who they are a moment ago: asked for where a session that was left open, or stolen, must
/// not be enough.
#[derive(Debug, Clone)]
pub struct FreshCaller(Caller);

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

impl std::ops::Deref for FreshCaller {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

/// Between two nodes' clocks.
const LEEWAY: Duration = Duration::from_secs(30);

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

    /// The same for what asks for a fresh proof. A refresh does not renew it.
    ///
    /// # Errors
    /// As [`App::authenticate`]; [`Rejection::StepUpRequired`].
    pub fn authenticate_fresh(&self, token: Option<&AccessToken>) -> Result<FreshCaller, Error> {
        let caller = self.authenticate(token)?;
        let (now, proven, max_age) = (self.0.clock.now(), caller.claims.authenticated_at, self.0.policy.step_up);
        // A proof from the future is one of a clock that was set back since: how old it is nobody knows.
        if now.since(proven) > max_age || proven.since(now) > LEEWAY {
            return Err(Rejection::StepUpRequired { max_age }.into());
        }
        Ok(FreshCaller(caller))
    }

    /// The caller's session and who they are, as the database has them now.
    ///
    /// # Errors
    /// [`Rejection::SessionEnded`].
    pub(super) async fn present(&self, caller: &Caller, now: Timestamp) -> Result<(Session, User), Error> {
        let ended = || {
            self.forget(caller.session(), now);
            Error::from(Rejection::SessionEnded)
        };
        let (session, user) = self.0.store.session(caller.session()).await?.ok_or_else(ended)?;
        let SessionState::Active { idle_expires_at, .. } = session.state else { return Err(ended()) };
        let is_over = now >= idle_expires_at || now >= session.expires_at;
        if is_over || user.disabled_at.is_some() || user.epoch != caller.claims.epoch {
            return Err(ended());
        }
        Ok((session, user))
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
