//! The settings of a verifier, checked once.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{Uri, uri::Scheme};

use crate::{
    Verifier,
    cache::Tokens,
    clock::Clock,
    keys::{Endpoint, Keeper, KeySetError, Keys, Source},
    payload::Expected,
    verifier::Parts,
};

/// Where countersign publishes its keys.
const KEYS_PATH: &str = "/.well-known/countersign/keys";
/// countersign's own default of `tokens.audience`.
const AUDIENCE: &str = "countersign";
/// No token lives longer than 15 minutes, so this is for a service that cannot reach countersign while browsers still do.
const KEEP_KEYS: Duration = Duration::from_hours(1);
/// About 5 MB.
const REMEMBER: usize = 10_000;

/// The settings of a [`Verifier`].
#[derive(Debug)]
#[must_use]
pub struct VerifierBuilder {
    issuer: String,
    audience: String,
    keys_url: Option<String>,
    trusts_plain_http: bool,
    certificates: Option<String>,
    fixed_keys: Option<String>,
    keep_keys: Duration,
    remember: usize,
    clock: Clock,
    #[cfg(feature = "feed")]
    feed: Option<crate::Feed>,
}

/// Why there is no verifier with these settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The address of the keys, or of the service, is none.
    #[error("{url:?} is no URL that can be called")]
    KeysUrl {
        /// What was to be one.
        url: String,
    },
    /// Whoever is on the way could put keys of their own there, and sign whatever they like.
    #[error("{url:?} is neither https nor on this machine: see VerifierBuilder::trust_plain_http")]
    PlainHttp {
        /// Where the keys are.
        url: String,
    },
    /// The key of this service is none.
    #[error("the backend key cannot stand in a header")]
    BackendKey,
    /// The feed is listened to in the background, which needs Tokio.
    #[error("the feed is followed within a Tokio runtime")]
    NoRuntime,
    /// https needs the feature `tls`.
    #[error("built without the feature \"tls\", which https needs")]
    NoTls,
    /// An authority's certificate is none.
    #[error("not a certificate: {0}")]
    Certificate(String),
    /// The keys that were given cannot be used.
    #[error("the keys that were given cannot be used")]
    Keys(#[from] KeySetError),
}

impl VerifierBuilder {
    pub(crate) fn new(issuer: String) -> Self {
        Self {
            issuer,
            audience: AUDIENCE.to_owned(),
            keys_url: None,
            trusts_plain_http: false,
            certificates: None,
            fixed_keys: None,
            keep_keys: KEEP_KEYS,
            remember: REMEMBER,
            clock: Clock::default(),
            #[cfg(feature = "feed")]
            feed: None,
        }
    }

    /// Whom the tokens must be for: countersign's `tokens.audience`, by default `countersign`.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }

    /// Where the keys are, if not at `/.well-known/countersign/keys` of the issuer.
    pub fn keys_url(mut self, url: impl Into<String>) -> Self {
        self.keys_url = Some(url.into());
        self
    }

    /// Accepts a keys URL of `http://` that leads to another machine. Right only where something else encrypts and
    /// authenticates the way, such as a service mesh: whoever can change what is answered can sign in as anybody.
    pub fn trust_plain_http(mut self) -> Self {
        self.trusts_plain_http = true;
        self
    }

    /// Trusts these authorities (certificates in PEM) beside the public ones, for the keys' https.
    pub fn certificate_authority(mut self, pem: impl Into<String>) -> Self {
        self.certificates = Some(pem.into());
        self
    }

    /// Uses these keys, in the JSON that countersign publishes, and never fetches any. For tests, and for services without a
    /// network; keys that countersign revokes later stay good here.
    pub fn fixed_keys(mut self, json: impl Into<String>) -> Self {
        self.fixed_keys = Some(json.into());
        self
    }

    /// How long keys count while countersign cannot be asked for them; an hour by default, never less than 5 minutes. It
    /// bounds how long a key that was stolen and revoked passes where an attacker keeps this service from hearing of it.
    pub fn keep_keys(mut self, duration: Duration) -> Self {
        self.keep_keys = duration;
        self
    }

    /// Follows the feed of ended sessions, so that they pass no longer than a second; begins with [`Self::build`].
    #[cfg(feature = "feed")]
    pub fn feed(mut self, feed: crate::Feed) -> Self {
        self.feed = Some(feed);
        self
    }

    /// How many verified tokens are remembered, each in about 500 bytes; 10,000 by default.
    pub fn remember(mut self, tokens: usize) -> Self {
        self.remember = tokens;
        self
    }

    /// Takes the time from here: for tests.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock::new(now);
        self
    }

    /// The verifier. Fetches nothing yet.
    ///
    /// # Errors
    /// When a setting cannot be right.
    pub fn build(self) -> Result<Verifier, BuildError> {
        let keys = if let Some(json) = &self.fixed_keys {
            Source::Fixed(Keys::parse(json.as_bytes(), &self.issuer)?)
        } else {
            let url = self.keys_url.clone().unwrap_or_else(|| self.at_issuer(KEYS_PATH));
            let endpoint = Endpoint::new(checked(&url, self.trusts_plain_http)?, self.certificates.as_deref())?;
            Source::Fetched(Arc::new(Keeper::new(endpoint, self.issuer.clone(), self.clock.clone(), self.keep_keys)))
        };
        #[cfg(feature = "feed")]
        let feed = self.start_feed(&keys)?;
        let expected = Expected { issuer: self.issuer, audience: self.audience };
        Ok(Verifier::from_parts(Parts {
            expected,
            keys,
            tokens: Tokens::new(self.remember),
            clock: self.clock,
            #[cfg(feature = "feed")]
            feed,
        }))
    }

    #[cfg(feature = "feed")]
    fn start_feed(&self, keys: &Source) -> Result<Option<crate::feed::Following>, BuildError> {
        let Some(feed) = &self.feed else { return Ok(None) };
        let url = feed.url.clone().unwrap_or_else(|| self.at_issuer(""));
        let surroundings = crate::feed::Surroundings {
            url: checked(&url, self.trusts_plain_http)?.to_string(),
            audience: self.audience.clone(),
            certificates: self.certificates.clone(),
            keeper: match keys {
                Source::Fixed(_) => None,
                Source::Fetched(keeper) => Some(Arc::clone(keeper)),
            },
            clock: self.clock.clone(),
        };
        crate::feed::Following::start(feed, surroundings).map(Some)
    }

    fn at_issuer(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.trim_end_matches('/'))
    }
}

/// An address on whose way nobody can write.
pub(crate) fn checked(url: &str, trusts_plain_http: bool) -> Result<Uri, BuildError> {
    let uri = url.parse::<Uri>().ok().filter(|uri| uri.host().is_some());
    match uri {
        Some(uri) if uri.scheme() == Some(&Scheme::HTTPS) => Ok(uri),
        Some(uri) if uri.scheme() == Some(&Scheme::HTTP) => {
            if trusts_plain_http || is_here(&uri) {
                Ok(uri)
            } else {
                Err(BuildError::PlainHttp { url: url.to_owned() })
            }
        }
        _ => Err(BuildError::KeysUrl { url: url.to_owned() }),
    }
}

fn is_here(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_a_way_that_nobody_can_write_on() {
        let build = |issuer: &str| Verifier::builder(issuer).build().map(drop);
        for issuer in ["https://auth.example.com", "https://auth.example.com:8443/", "http://localhost:50051"] {
            assert!(build(issuer).is_ok(), "{issuer}");
        }
        for issuer in ["http://127.0.0.1:50051", "http://[::1]:50051"] {
            assert!(build(issuer).is_ok(), "{issuer}");
        }
        for issuer in ["http://auth.example.com", "http://localhost.example.com", "http://127.0.0.1.example.com"] {
            assert!(matches!(build(issuer), Err(BuildError::PlainHttp { .. })), "{issuer}");
            assert!(Verifier::builder(issuer).trust_plain_http().build().is_ok(), "{issuer}");
        }
        for issuer in ["", "auth.example.com", "/keys", "ftp://auth.example.com", "https://", "https://a b"] {
            assert!(matches!(build(issuer), Err(BuildError::KeysUrl { .. })), "{issuer:?}");
        }
    }

    #[cfg(feature = "tls")]
    #[test]
    fn an_authority_is_a_certificate() {
        let build = |pem: &str| Verifier::builder("https://auth.example.com").certificate_authority(pem).build();
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for pem in [broken, "", "no certificate"] {
            assert!(matches!(build(pem), Err(BuildError::Certificate(_))), "{pem:?}");
        }
    }
}
