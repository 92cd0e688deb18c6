//! Learns of ended sessions while they end, from countersign's feed of revocations.

mod follower;
mod known;
mod listener;
mod service;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::{sync::watch, task::AbortHandle};

use tonic::Status;

use crate::{
    BuildError, Claims, Refusal,
    clock::Clock,
    keys::Keeper,
    proto::{
        PublicKeySet, RevocationBatch, VerifyTokenRequest, WatchRevocationsRequest, revocation::Revoked,
        watch_revocations_response::Event,
    },
};
pub use follower::{Follower, Upstream};
use known::Known;
pub use listener::Ear;
use service::Service;

/// countersign tells us each second that there is nothing new.
const STALE_AFTER: Duration = Duration::from_secs(5);
const ALLOW: Duration = Duration::from_mins(1);

/// What becomes of tokens while the feed of ended sessions is not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStale {
    /// They are refused, as unavailable: nobody whose session has ended gets in.
    Deny,
    /// countersign is asked about each, with `VerifyToken`; if it does not answer, they are refused as unavailable.
    Introspect,
    /// Those that have not expired pass for this long after the feed was last heard; then as [`Self::Introspect`].
    AllowFor(Duration),
}

/// How to follow countersign's feed of ended sessions.
pub struct Feed {
    backend_key: String,
    pub(crate) url: Option<String>,
    on_stale: OnStale,
    stale_after: Duration,
}

impl Feed {
    /// Follows with the key that `countersign backend create` printed for this service, `cs_bk_…`.
    #[must_use]
    pub fn new(backend_key: impl Into<String>) -> Self {
        let on_stale = OnStale::AllowFor(ALLOW);
        Self { backend_key: backend_key.into(), url: None, on_stale, stale_after: STALE_AFTER }
    }

    /// Where countersign answers gRPC, if not at the issuer.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// What becomes of tokens while the feed is not heard; by default they pass for a minute, and are then asked about.
    #[must_use]
    pub fn on_stale(mut self, on_stale: OnStale) -> Self {
        self.on_stale = on_stale;
        self
    }

    /// How old what is known may be before it counts as stale; 5 seconds by default. Something is heard each second.
    #[must_use]
    pub fn stale_after(mut self, duration: Duration) -> Self {
        self.stale_after = duration;
        self
    }
}

/// A feed that is followed, until this is dropped.
pub(crate) struct Following {
    shared: Arc<Shared>,
    listener: AbortHandle,
}

/// What the listener tells those who verify.
struct Shared {
    known: Mutex<Known>,
    /// Whoever waits for the end of a session looks again.
    news: watch::Sender<()>,
    service: Service,
    audience: String,
    /// Is told the keys as well.
    keeper: Option<Arc<Keeper>>,
    clock: Clock,
    on_stale: OnStale,
    stale_after: Duration,
}

/// What of the verifier's settings the feed needs.
pub(crate) struct Surroundings {
    pub(crate) url: String,
    pub(crate) audience: String,
    pub(crate) certificates: Option<String>,
    pub(crate) keeper: Option<Arc<Keeper>>,
    pub(crate) clock: Clock,
}

impl Following {
    pub(crate) fn start(feed: &Feed, surroundings: Surroundings) -> Result<Self, BuildError> {
        let Surroundings { url, audience, certificates, keeper, clock } = surroundings;
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        let service = Service::new(url, &feed.backend_key, certificates.as_deref())?;
        let (known, news) = (Mutex::default(), watch::Sender::new(()));
        let (on_stale, stale_after) = (feed.on_stale, feed.stale_after);
        let shared = Arc::new(Shared { known, news, service, audience, keeper, clock, on_stale, stale_after });
        let listener = runtime.spawn(listen(Arc::clone(&shared))).abort_handle();
        Ok(Self { shared, listener })
    }

    /// Whether the session of a good token goes on, as far as that can be known.
    pub(crate) async fn check(&self, claims: &Claims, token: &str) -> Result<(), Refusal> {
        let shared = &*self.shared;
        let age = {
            let known = shared.known();
            if known.has_ended(claims) {
                return Err(Refusal::SessionEnded);
            }
            known.age(shared.clock.now())
        };
        if age <= shared.stale_after {
            return Ok(());
        }
        match shared.on_stale {
            OnStale::Deny => Err(Refusal::Stale),
            OnStale::AllowFor(bound) if age <= bound => Ok(()),
            OnStale::Introspect | OnStale::AllowFor(_) => match shared.is_active(token).await {
                Ok(true) => Ok(()),
                // All else that can be wrong with it was looked at here.
                Ok(false) => Err(Refusal::SessionEnded),
                Err(status) => {
                    tracing::warn!(code = ?status.code(), "countersign cannot be asked about a token");
                    Err(Refusal::Stale)
                }
            },
        }
    }

    /// How old what is known is.
    pub(crate) fn age(&self) -> Duration {
        self.shared.known().age(self.shared.clock.now())
    }

    /// Waits until a stream of these claims, which began at `since`, has to end.
    pub(crate) async fn ended(&self, claims: &Claims, since: SystemTime) {
        // Before the first look, so that nothing is missed after it.
        let mut news = self.shared.news.subscribe();
        while !self.shared.known().ends_stream(claims, since) {
            if news.changed().await.is_err() {
                // Nobody will tell any more.
                std::future::pending::<()>().await;
            }
        }
    }
}

async fn listen(shared: Arc<Shared>) {
    let (clock, patience) = (shared.clock.clone(), shared.stale_after);
    listener::listen(&shared.service, &clock, patience, WatchRevocationsRequest::default(), &mut &*shared).await;
}

impl Ear for &Shared {
    fn hear(&mut self, event: Event, as_of: Option<SystemTime>) -> Result<(), Status> {
        let now = self.clock.now();
        match event {
            Event::SnapshotBegins(_) => {
                self.known().begin_snapshot(now);
                self.news.send_replace(());
            }
            Event::Revocations(batch) => self.add(&batch),
            Event::UpTo(_) => self.known().forget(now),
            Event::Keys(keys) => self.tell_keys(keys, now),
            Event::Heartbeat(_) | Event::GoAway(_) | Event::ForEdge(_) => {}
        }
        if let Some(as_of) = as_of {
            self.known().heard(as_of, now);
        }
        Ok(())
    }

    fn lost(&mut self, why: &Status) {
        tracing::warn!(code = ?why.code(), message = why.message(), "the feed of revocations broke off");
    }
}

impl Shared {
    async fn is_active(&self, token: &str) -> Result<bool, Status> {
        let (token, audience) = (token.to_owned(), self.audience.clone());
        self.service.is_active(VerifyTokenRequest { token, audience, strong: false }).await
    }

    fn add(&self, batch: &RevocationBatch) {
        let mut known = self.known();
        for revocation in &batch.revocations {
            let expires_at = revocation.expires_at.and_then(|at| SystemTime::try_from(at).ok());
            // An entry without an end stays as long as one can be.
            let expires_at = expires_at.unwrap_or_else(|| self.clock.now() + Duration::from_hours(24));
            match &revocation.revoked {
                Some(Revoked::SessionId(id)) => {
                    if let Ok(id) = id.as_slice().try_into() {
                        known.end_session(id, expires_at);
                    }
                }
                Some(Revoked::UserEpoch(begun)) => {
                    if let Ok(id) = begun.user_id.as_slice().try_into() {
                        known.begin_epoch(id, begun.epoch, expires_at);
                    }
                }
                None => {}
            }
        }
        drop(known);
        self.news.send_replace(());
    }

    fn tell_keys(&self, set: PublicKeySet, now: SystemTime) {
        let Some(keeper) = &self.keeper else { return };
        let listed = set.keys.into_iter().map(|key| {
            let not_after = key.not_after.map(|end| SystemTime::try_from(end).unwrap_or(SystemTime::UNIX_EPOCH));
            (key.id, key.key, not_after)
        });
        keeper.told(&set.issuer, listed, now);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // No step in here leaves it half changed.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("url", &self.url).field("on_stale", &self.on_stale).finish_non_exhaustive()
    }
}

impl fmt::Debug for Following {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Following").field("on_stale", &self.shared.on_stale).finish_non_exhaustive()
    }
}
