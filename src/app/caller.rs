//! Who calls: a value that only authentication makes, and that every use case of a signed-in person asks for.

use std::{sync::Arc, time::Duration};

use super::{App, Error, Fault, OnStale, Rejection, Staleness};
use crate::{
    crypto::TokenRefusal,
    domain::{AccessToken, Claims, Role, Session, SessionId, Timestamp, User, UserId},
};

/// A signed-in person. To hold one is to be allowed to call.
#[derive(Debug, Clone)]
pub struct Caller {
    pub(super) claims: Arc<Claims>,
}

/// A signed-in person who proved who they are a moment ago: asked for where a session that was left open, or stolen, must
/// not be enough.
#[derive(Debug, Clone)]
pub struct FreshCaller(Caller);

/// The holder of an access token that may have expired: allowed to end that token's session, and nothing else.
#[derive(Debug, Clone)]
pub struct Leaver {
    pub(super) claims: Arc<Claims>,
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
    /// Finds out who calls, without the database unless what is known of revocations is too old.
    ///
    /// # Errors
    /// [`Rejection::NotSignedIn`] without a token; [`Rejection::TokenExpired`], [`Rejection::TokenInvalid`],
    /// [`Rejection::SessionEnded`]; [`Fault::Stale`].
    pub async fn authenticate(&self, token: Option<&AccessToken>) -> Result<Caller, Error> {
        let token = token.ok_or(Rejection::NotSignedIn)?;
        let claims = self.0.access_tokens.verify(token, self.0.clock.now()).map_err(|refusal| match refusal {
            TokenRefusal::Invalid => Rejection::TokenInvalid,
            // Its session lives: whoever holds it refreshes, and goes on with a token of another key.
            TokenRefusal::Expired(_) | TokenRefusal::KeyRevoked => Rejection::TokenExpired,
        })?;
        self.require_alive(&claims).await?;
        Ok(Caller { claims })
    }

    /// The same for what asks for a fresh proof. A refresh does not renew it.
    ///
    /// # Errors
    /// As [`App::authenticate`]; [`Rejection::StepUpRequired`].
    pub async fn authenticate_fresh(&self, token: Option<&AccessToken>) -> Result<FreshCaller, Error> {
        let caller = self.authenticate(token).await?;
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
        self.alive(&caller.claims, now).await
    }

    /// Finds out whose session a token was of, although it may have expired: enough for ending that session.
    ///
    /// # Errors
    /// [`Rejection::NotSignedIn`] without a token; [`Rejection::TokenInvalid`].
    pub fn authenticate_to_leave(&self, token: Option<&AccessToken>) -> Result<Leaver, Error> {
        let token = token.ok_or(Rejection::NotSignedIn)?;
        match self.0.access_tokens.verify(token, self.0.clock.now()) {
            Ok(claims) | Err(TokenRefusal::Expired(claims)) => Ok(Leaver { claims }),
            Err(TokenRefusal::Invalid | TokenRefusal::KeyRevoked) => Err(Rejection::TokenInvalid.into()),
        }
    }

    /// Whether a token that is good by itself has been revoked; as fresh as the operator wants it (**I4**).
    pub(super) async fn require_alive(&self, claims: &Claims) -> Result<(), Error> {
        if self.0.revocations.refuse(claims.session, claims.user, claims.epoch) {
            return Err(Rejection::SessionEnded.into());
        }
        let Staleness { after, then } = self.0.policy.staleness;
        match then {
            _ if self.0.revocations.age(self.0.clock.ticks()) <= after => Ok(()),
            OnStale::AllowUntilExp => Ok(()),
            OnStale::Deny => Err(Fault::Stale.into()),
            OnStale::Strong => self.require_alive_in_database(claims).await,
        }
    }

    /// The same, as the database has it now.
    pub(super) async fn require_alive_in_database(&self, claims: &Claims) -> Result<(), Error> {
        self.alive(claims, self.0.clock.now()).await.map(drop)
    }

    async fn alive(&self, claims: &Claims, now: Timestamp) -> Result<(Session, User), Error> {
        match self.0.store.session(claims.session).await? {
            Some((session, user)) if is_alive(claims, &session, &user, now) => Ok((session, user)),
            _ => {
                self.forget(claims.session, now);
                Err(Rejection::SessionEnded.into())
            }
        }
    }
}

/// Whether the database stands behind a token.
pub(super) fn is_alive(claims: &Claims, session: &Session, user: &User, now: Timestamp) -> bool {
    !session.is_over(now) && user.disabled_at.is_none() && user.epoch == claims.epoch
}
