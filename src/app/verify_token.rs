//! Telling another service what a token is worth, now.

use std::sync::Arc;

use super::{Backend, Error, Rejection, Verifier};
use crate::domain::{AccessToken, Claims};

/// What another service wants to know.
#[derive(Debug)]
pub struct VerifyToken {
    /// What it was shown.
    pub token: AccessToken,
    /// Whom the token must be for; whom tokens of this service are for anyway where it is not said.
    pub audience: Option<String>,
    /// Whether to ask the database, at an edge through its upstream, instead of what this node knows.
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

impl Verifier {
    /// What a token says, if it counts; `None` alike for any that does not, whatever the reason. Without the database, unless
    /// the answer is to be strong or this node's knowledge is too old.
    ///
    /// # Errors
    /// [`Rejection::Forbidden`] when the service may not see tokens for that audience; [`super::Fault::Stale`].
    pub async fn verify_token(&self, asking: &Backend, question: &VerifyToken) -> Result<Option<VerifiedToken>, Error> {
        let trust = self.trusted()?;
        let ours = trust.tokens.audience();
        let wanted = question.audience.as_deref().unwrap_or(ours);
        if !asking.may_see(wanted) {
            return Err(Rejection::Forbidden.into());
        }
        if wanted != ours {
            return Ok(None);
        }
        match self.check(Some(&question.token), question.is_strong).await {
            Ok(claims) => Ok(Some(VerifiedToken { claims, audience: ours.to_owned() })),
            Err(Error::Rejected(_)) => Ok(None),
            Err(failed @ Error::Failed(_)) => Err(failed),
        }
    }
}
