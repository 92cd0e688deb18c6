//! Who calls: a value that only authentication makes, and that every use case of a signed-in person asks for.

use std::{sync::Arc, time::Duration};

use super::{App, Error, Fault, OnStale, Rejection, Staleness, Verifier, verifier::Authority};
use crate::{
    crypto::TokenRefusal,
    domain::{AccessToken, Claims, News, Role, STAYS_REVOKED_FOR, Session, SessionId, Timestamp, User, UserId},
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

impl Verifier {
    /// Finds out who calls, without the database unless what is known of revocations is too old.
    ///
    /// # Errors
    /// [`Rejection::NotSignedIn`] without a token; [`Rejection::TokenExpired`], [`Rejection::TokenInvalid`],
    /// [`Rejection::SessionEnded`]; [`Fault::Stale`].
    pub async fn authenticate(&self, token: Option<&AccessToken>) -> Result<Caller, Error> {
        let claims = self.check(token, false).await?;
        Ok(Caller { claims })
    }

    /// What a token says, if it counts; strongly, if it does by the database.
    pub(super) async fn check(&self, token: Option<&AccessToken>, is_strong: bool) -> Result<Arc<Claims>, Error> {
        let checked = self.try_check(token, is_strong).await;
        self.0.metrics.tokens.count([checked.as_ref().map_or_else(Error::label, |_| "ok")]);
        checked
    }

    async fn try_check(&self, token: Option<&AccessToken>, is_strong: bool) -> Result<Arc<Claims>, Error> {
        let token = token.ok_or(Rejection::NotSignedIn)?;
        let claims = self.trusted()?.tokens.verify(token, self.now()).map_err(|refusal| match refusal {
            TokenRefusal::Invalid => Rejection::TokenInvalid,
            // Its session lives: whoever holds it refreshes, and goes on with a token of another key.
            TokenRefusal::Expired(_) | TokenRefusal::KeyRevoked => Rejection::TokenExpired,
        })?;
        if is_strong {
            Box::pin(self.require_alive_now(token, &claims)).await?;
        } else {
            self.require_alive(token, &claims).await?;
        }
        Ok(claims)
    }

    /// Whether a token that is good by itself has been revoked; as fresh as the operator wants it (**I4**).
    pub(super) async fn require_alive(&self, token: &AccessToken, claims: &Claims) -> Result<(), Error> {
        self.require_not_revoked(claims)?;
        let Staleness { after, then } = self.0.staleness;
        match then {
            _ if self.age_of_revocations() <= after => Ok(()),
            OnStale::AllowUntilExp => Ok(()),
            OnStale::Deny => Err(Fault::Stale.into()),
            // On the heap: it is large, and every call would carry the room for it.
            OnStale::Strong => Box::pin(self.require_alive_now(token, claims)).await,
        }
    }

    fn require_not_revoked(&self, claims: &Claims) -> Result<(), Rejection> {
        let is_revoked = self.0.revocations.refuse(claims.session, claims.user, claims.epoch);
        if is_revoked { Err(Rejection::SessionEnded) } else { Ok(()) }
    }

    /// The same, as those have it who know best. They are not asked about what is known to be over.
    pub(super) async fn require_alive_now(&self, token: &AccessToken, claims: &Claims) -> Result<(), Error> {
        self.require_not_revoked(claims)?;
        match &self.0.authority {
            Authority::Database(store) => {
                let now = self.now();
                if standing(store.session(claims.session).await?, claims, now).is_some() {
                    return Ok(());
                }
                let ended = (News::SessionEnded(claims.session), now + STAYS_REVOKED_FOR);
                self.0.revocations.add([ended], self.0.clock.ticks());
                Err(Rejection::SessionEnded.into())
            }
            Authority::Upstream(upstream) => {
                let audience = self.trusted()?.tokens.audience().to_owned();
                let is_active = upstream.is_active(token, audience).await.map_err(Fault::from)?;
                // Why it is not, services are not told. Whoever refreshes is.
                if is_active { Ok(()) } else { Err(Rejection::TokenExpired.into()) }
            }
        }
    }
}

impl App {
    /// Finds out who calls, where the proof must be fresh. A refresh does not renew it.
    ///
    /// # Errors
    /// As [`Verifier::authenticate`]; [`Rejection::StepUpRequired`].
    pub async fn authenticate_fresh(&self, token: Option<&AccessToken>) -> Result<FreshCaller, Error> {
        let caller = self.0.verifier.authenticate(token).await?;
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
        let claims = &caller.claims;
        standing(self.0.store.session(claims.session).await?, claims, now).ok_or_else(|| {
            self.forget(claims.session, now);
            Rejection::SessionEnded.into()
        })
    }

    /// Finds out whose session a token was of, although it may have expired: enough for ending that session.
    ///
    /// # Errors
    /// [`Rejection::NotSignedIn`] without a token; [`Rejection::TokenInvalid`].
    pub fn authenticate_to_leave(&self, token: Option<&AccessToken>) -> Result<Leaver, Error> {
        let token = token.ok_or(Rejection::NotSignedIn)?;
        match self.0.verifier.trusted()?.tokens.verify(token, self.0.clock.now()) {
            Ok(claims) | Err(TokenRefusal::Expired(claims)) => Ok(Leaver { claims }),
            Err(TokenRefusal::Invalid | TokenRefusal::KeyRevoked) => Err(Rejection::TokenInvalid.into()),
        }
    }
}

/// The session of a token and its user, if the database stands behind it.
fn standing(found: Option<(Session, User)>, claims: &Claims, now: Timestamp) -> Option<(Session, User)> {
    found.filter(|(session, user)| !session.is_over(now) && user.disabled_at.is_none() && user.epoch == claims.epoch)
}
