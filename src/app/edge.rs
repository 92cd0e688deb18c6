//! Being an edge: knowing by heart what another countersign tells, so that tokens are verified near to where they are used.

use std::sync::Arc;

use super::{
    Staleness, Verifier,
    told::AllNews,
    verifier::{Authority, Trust},
};
use crate::{
    clock::Clock,
    crypto::{AccessTokens, CryptoError, Keyring},
    domain::{EdgeState, News, Ticks},
    entropy::Entropy,
    metrics::Metrics,
    upstream::{Told, Upstream},
};

/// A node without a database.
#[derive(Debug, Clone)]
pub struct Edge {
    verifier: Verifier,
    upstream: Arc<Upstream>,
}

impl Edge {
    /// Knows nothing before it follows, and answers nothing (**I10**).
    #[must_use]
    pub fn new(
        upstream: Upstream,
        staleness: Staleness,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let upstream = Arc::new(upstream);
        let authority = Authority::Upstream(Arc::clone(&upstream));
        Self { verifier: Verifier::new(authority, staleness, clock, entropy, metrics), upstream }
    }

    /// What decides whether tokens count.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Learns for ever what the upstream tells.
    pub async fn follow(&self) {
        let mut untold = AllNews::new();
        self.upstream.follow(|told, as_of| self.learn(told, as_of, &mut untold)).await;
    }

    /// Knows it at once, and tells it on as soon as it has a place in the feed to tell it with.
    fn learn(&self, told: Told, as_of: Option<Ticks>, untold: &mut AllNews) {
        let known = &self.verifier.0;
        match told {
            Told::State(state) => match self.adopt(state) {
                Ok(()) => {
                    untold.extend([News::KeysChanged, News::BackendsChanged].map(|news| (news, self.verifier.now())));
                }
                Err(error) => tracing::error!(%error, "the upstream told of keys that cannot be used"),
            },
            // **I5**: a second snapshot is added too.
            Told::Revoked(news) => {
                known.revocations.add(news.iter().copied(), known.clock.ticks());
                untold.extend(news);
            }
            Told::UpTo(place) => known.told.tell(std::mem::take(untold), place),
            Told::Nothing => {}
        }
        if let Some(as_of) = as_of {
            known.revocations.complete_as_of(as_of);
        }
    }

    fn adopt(&self, state: EdgeState) -> Result<(), CryptoError> {
        let EdgeState { keys, revoked_keys, audience, backends } = state;
        let keyring = Keyring::verifying_only(&keys.keys, &revoked_keys)?;
        let tokens = AccessTokens::new(keyring, &keys.issuer, &audience);
        self.verifier.trust(Trust { tokens, keys: keys.keys, revoked: revoked_keys });
        self.verifier.0.backends.replace(backends);
        Ok(())
    }
}
