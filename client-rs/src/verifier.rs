//! Verifies access tokens without asking countersign for each.

#[cfg(feature = "feed")]
use std::time::Duration;
use std::{sync::Arc, time::SystemTime};

use crate::{
    Claims, Refusal, VerifierBuilder,
    cache::{Remembered, Tokens, digest},
    clock::Clock,
    keys::Source,
    payload::{Expected, Verified},
    token::{LONGEST_TOKEN, Token},
};

/// Verifies access tokens of one countersign. Cheap to clone: the clones share keys and memory.
#[derive(Debug, Clone)]
pub struct Verifier(Arc<Parts>);

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) expected: Expected,
    pub(crate) keys: Source,
    pub(crate) tokens: Tokens,
    pub(crate) clock: Clock,
    #[cfg(feature = "feed")]
    pub(crate) feed: Option<crate::feed::Following>,
}

impl Verifier {
    /// A verifier of tokens from `issuer`, which is the `server.public_url` that countersign is set to.
    pub fn builder(issuer: impl Into<String>) -> VerifierBuilder {
        VerifierBuilder::new(issuer.into())
    }

    pub(crate) fn from_parts(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.0.clock.now()
    }

    /// How old what the feed told of ended sessions is: for a metric, and for a readiness check, since before everything was
    /// told once it is [`Duration::MAX`]. `None` if no feed is followed.
    #[cfg(feature = "feed")]
    #[must_use]
    pub fn revocations_age(&self) -> Option<Duration> {
        self.0.feed.as_ref().map(crate::feed::Following::age)
    }

    /// Comes when the session of these claims ends: for what the layer cannot end by itself, such as a WebSocket or work in the
    /// background. Never comes where no feed is followed.
    #[cfg(feature = "feed")]
    pub fn session_ended(&self, claims: &Claims) -> impl Future<Output = ()> + Send + use<> {
        let (parts, claims, since) = (Arc::clone(&self.0), claims.clone(), self.now());
        async move {
            match &parts.feed {
                Some(feed) => feed.ended(&claims, since).await,
                None => std::future::pending().await,
            }
        }
    }

    /// What the token says, if it counts now. Needs no call but for the keys, which are fetched before the first token.
    ///
    /// # Errors
    /// [`Refusal::Expired`] only for a token that is good in every other way.
    ///
    /// # Panics
    /// Outside of a Tokio runtime, when keys have to be fetched.
    pub async fn verify(&self, token: &str) -> Result<Claims, Refusal> {
        let Parts { expected, keys, tokens, clock, .. } = &*self.0;
        // Before anything that costs by length.
        if token.len() > LONGEST_TOKEN {
            return Err(Refusal::Invalid);
        }
        let digest = digest(token);
        let remembered = tokens.get(&digest);
        let is_new = remembered.is_none();
        let passed = match remembered {
            Some(passed) => {
                keys.find(&passed.kid, clock.now()).await?.ok_or(Refusal::Invalid)?;
                passed
            }
            None => Arc::new(authentic(token, keys, expected, clock).await?),
        };
        // The keys may have been waited for.
        passed.verified.check(clock.now())?;
        let claims = passed.verified.claims.clone();
        if is_new {
            tokens.insert(digest, passed);
        }
        #[cfg(feature = "feed")]
        if let Some(feed) = &self.0.feed {
            feed.check(&claims, token).await?;
        }
        Ok(claims)
    }
}

/// What a token says that is one of ours and for us.
async fn authentic(text: &str, keys: &Source, expected: &Expected, clock: &Clock) -> Result<Remembered, Refusal> {
    let token = Token::parse(text).ok_or(Refusal::Invalid)?;
    let key = keys.find(token.kid(), clock.now()).await?.ok_or(Refusal::Invalid)?;
    let payload = token.payload(&key.public).ok_or(Refusal::Invalid)?;
    let verified = Verified::read(&payload, expected).ok_or(Refusal::Invalid)?;
    Ok(Remembered { verified, kid: token.into_kid() })
}
