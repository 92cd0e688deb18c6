//! Telling another service what a token is worth, now.

use std::{sync::Arc, time::Duration};

use super::{App, Backend, Error, Rejection};
use crate::domain::{AccessToken, Claims, Timestamp};

/// What another service wants to know.
#[derive(Debug)]
pub struct VerifyToken {
    /// What it was shown.
    pub token: AccessToken,
    /// Whom the token must be for; whom tokens of this service are for anyway where it is not said.
    pub audience: Option<String>,
    /// Whether to ask the database, instead of what this node knows.
    pub is_strong: bool,
}

/// A token that counts.
#[derive(Debug, Clone)]
pub struct VerifiedToken {
    /// What it says.
    pub claims: Arc<Claims>,
    /// Whom it is for.
    pub audience: String,
}

impl App {
    /// What a token says, if it counts; `None` alike for any that does not, whatever the reason. Without the database, unless
    /// the answer is to be strong or this node's knowledge is too old.
    ///
    /// # Errors
    /// [`Rejection::Forbidden`] when the service may not see tokens for that audience; [`super::Fault::Stale`].
    pub async fn verify_token(&self, asking: &Backend, question: &VerifyToken) -> Result<Option<VerifiedToken>, Error> {
        let ours = &self.0.policy.audience;
        let wanted = question.audience.as_ref().unwrap_or(ours);
        if !asking.may_see(wanted) {
            return Err(Rejection::Forbidden.into());
        }
        if wanted != ours {
            return Ok(None);
        }
        let Ok(claims) = self.0.access_tokens.verify(&question.token, self.0.clock.now()) else { return Ok(None) };
        let alive = if question.is_strong {
            self.require_alive_in_database(&claims).await
        } else {
            self.require_alive(&claims).await
        };
        match alive {
            Ok(()) => Ok(Some(VerifiedToken { claims, audience: ours.clone() })),
            Err(Error::Rejected(_)) => Ok(None),
            Err(failed @ Error::Failed(_)) => Err(failed),
        }
    }

    /// What this node's clock says.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// How old this node's knowledge of what other nodes have revoked is.
    #[must_use]
    pub fn age_of_revocations(&self) -> Duration {
        self.0.revocations.age(self.0.clock.ticks())
    }
}
