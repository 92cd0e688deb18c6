//! Deciding whether tokens count, by what is known of keys, services and revocations: the same on a node with a database and
//! on an edge, which have it from elsewhere.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use super::{Error, Fault, OnStale, Staleness, backends::Backends, told::Told};
use crate::{
    clock::Clock,
    crypto::AccessTokens,
    domain::{KeyId, PublicKey, PublicKeys, Timestamp},
    entropy::Entropy,
    metrics::Metrics,
    revocations::Revocations,
    store::Store,
    upstream::Upstream,
};

/// Decides whether tokens count; cheap to clone.
#[derive(Clone)]
pub struct Verifier(pub(super) Arc<Knowledge>);

/// What a node knows, and how it came to.
pub(super) struct Knowledge {
    /// Nothing before it was told.
    trust: RwLock<Option<Arc<Trust>>>,
    pub(super) revocations: Revocations,
    pub(super) backends: Backends,
    pub(super) told: Told,
    pub(super) authority: Authority,
    pub(super) staleness: Staleness,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) metrics: Arc<Metrics>,
}

/// The keys of tokens that count. Replaced as a whole.
pub(super) struct Trust {
    /// By which of them.
    pub(super) tokens: AccessTokens,
    /// Those that verify, the oldest first.
    pub(super) keys: Vec<PublicKey>,
    /// Those that verified once.
    pub(super) revoked: Vec<KeyId>,
}

impl Trust {
    fn is_like(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.tokens, &other.tokens);
        let are_for_the_same = ours.issuer() == theirs.issuer() && ours.audience() == theirs.audience();
        are_for_the_same && self.keys == other.keys && self.revoked == other.revoked
    }
}

/// Who knows best.
pub(super) enum Authority {
    Database(Box<Store>),
    Upstream(Arc<Upstream>),
}

impl Verifier {
    /// Knows nothing yet.
    pub(super) fn new(
        authority: Authority,
        staleness: Staleness,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let told = Told::new(match authority {
            Authority::Database(_) => Told::NOTHING_AGAIN,
            Authority::Upstream(_) => Told::LATELY_AGAIN,
        });
        let (revocations, backends, trust) = (Revocations::default(), Backends::default(), RwLock::default());
        Self(Arc::new(Knowledge { trust, revocations, backends, told, authority, staleness, clock, entropy, metrics }))
    }

    /// From now on these keys and no others. Where they are those of before, what they were found to have signed is remembered.
    pub(super) fn trust(&self, trust: Trust) {
        let mut current = self.0.trust.write().unwrap_or_else(PoisonError::into_inner);
        if !current.as_ref().is_some_and(|current| current.is_like(&trust)) {
            *current = Some(Arc::new(trust));
        }
    }

    /// The keys.
    ///
    /// # Errors
    /// [`Fault::Stale`] as long as not everything was learnt once (**I10**).
    pub(super) fn trusted(&self) -> Result<Arc<Trust>, Error> {
        let trust = self.0.trust.read().unwrap_or_else(PoisonError::into_inner).clone();
        let trust = trust.filter(|_| self.0.revocations.are_known());
        trust.ok_or_else(|| Fault::Stale.into())
    }

    /// The keys that tokens of this service are verified with. No secret, and no look into the database.
    ///
    /// # Errors
    /// [`Fault::Stale`] as long as they are not known.
    pub fn public_keys(&self) -> Result<PublicKeys, Error> {
        let (now, trust) = (self.now(), self.trusted()?);
        let keys = trust.keys.iter().filter(|key| key.counts(now)).cloned().collect();
        Ok(PublicKeys { issuer: trust.tokens.issuer().to_owned(), keys })
    }

    /// What this node's clock says.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// How old this node's knowledge of what was revoked elsewhere is.
    #[must_use]
    pub fn age_of_revocations(&self) -> Duration {
        self.0.revocations.age(self.0.clock.ticks())
    }

    /// Whether the service can do its work.
    ///
    /// # Errors
    /// When the database does not answer; at an edge, when it knows too little to answer.
    pub async fn ready(&self) -> Result<(), Error> {
        match &self.0.authority {
            Authority::Database(store) => Ok(store.ping().await?),
            Authority::Upstream(_) => {
                self.trusted()?;
                let Staleness { after, then } = self.0.staleness;
                let goes_on = self.age_of_revocations() <= after || then == OnStale::AllowUntilExp;
                if goes_on { Ok(()) } else { Err(Fault::Stale.into()) }
            }
        }
    }

    /// Drops what can refuse no token any more.
    pub fn forget_expired_revocations(&self) {
        self.0.revocations.forget_expired(self.0.clock.now(), self.0.clock.ticks());
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("revocations", &self.0.revocations).finish_non_exhaustive()
    }
}
