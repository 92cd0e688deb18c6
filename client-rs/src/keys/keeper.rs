//! Keeps the published keys, so that verifying needs no call, and no stranger's token can make us call more often.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use http::HeaderValue;
use tokio::sync::watch;

use super::{Endpoint, Key, Keys, http::Answer};
use crate::{
    Refusal,
    clock::{Clock, elapsed},
};

/// As long as countersign lets its keys be kept; it publishes a new one for longer than that before it signs with it.
const FRESH: Duration = Duration::from_mins(5);
/// From this age on they are asked for anew beside the request that noticed.
const AGING: Duration = Duration::from_mins(4);
/// Between two questions: ids of keys that nobody has are what strangers make up.
const PAUSE: Duration = Duration::from_secs(10);
/// The same while there are no keys at all, as when both services start at once.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// For so long after a question that failed no request waits for the next one.
const AWAY: Duration = Duration::from_secs(30);

/// The keys of one service, fetched when they are needed.
pub(crate) struct Keeper {
    endpoint: Endpoint,
    issuer: String,
    clock: Clock,
    /// How long keys count that could not be asked for again.
    keep: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Option<Known>,
    asked_at: Option<SystemTime>,
    /// The last question failed, then.
    failed_at: Option<SystemTime>,
    /// The feed brought keys, then.
    #[cfg(feature = "feed")]
    told_at: Option<SystemTime>,
    /// Ends when the question that is under way does.
    flight: Option<watch::Receiver<()>>,
}

struct Known {
    keys: Arc<Keys>,
    etag: Option<HeaderValue>,
    confirmed_at: SystemTime,
}

/// What to do before the keys are looked at.
#[derive(Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    /// Ask, and answer the request meanwhile.
    Ask,
    /// Ask, and wait for it.
    Wait,
}

impl Keeper {
    pub(crate) fn new(endpoint: Endpoint, issuer: String, clock: Clock, keep: Duration) -> Self {
        Self { endpoint, issuer, clock, keep, state: Mutex::default() }
    }

    /// The key of this id; `None` if there is none.
    pub(crate) async fn find(self: &Arc<Self>, kid: &str) -> Result<Option<Arc<Key>>, Refusal> {
        let now = self.clock.now();
        let need = self.state().need(kid, now, self.keep);
        if need != Need::Nothing
            && let Some(mut flight) = self.ask(now)
            && need == Need::Wait
        {
            // Nothing is ever sent: the sender goes when the answer is in.
            let _ = flight.changed().await;
        }
        self.state().pick(kid, self.clock.now(), self.keep)
    }

    /// Asks for the keys, unless somebody does, or did a moment ago. In a task of its own: who asked may go away.
    fn ask(self: &Arc<Self>, now: SystemTime) -> Option<watch::Receiver<()>> {
        let mut state = self.state();
        if let Some(flight) = state.flight.as_ref().filter(|flight| flight.has_changed().is_ok()) {
            return Some(flight.clone());
        }
        let pause = if state.known.is_some() { PAUSE } else { FIRST_PAUSE };
        if state.asked_at.is_some_and(|asked_at| elapsed(asked_at, now) < pause) {
            return None;
        }
        state.asked_at = Some(now);
        let etag = state.known.as_ref().and_then(|known| known.etag.clone());
        let (landed, flight) = watch::channel(());
        state.flight = Some(flight.clone());
        let keeper = Arc::clone(self);
        tokio::spawn(async move {
            let answer = keeper.endpoint.fetch(etag, &keeper.issuer).await;
            let now = keeper.clock.now();
            keeper.state().take(answer, now);
            drop(landed);
        });
        Some(flight)
    }

    /// Takes keys that countersign told of by itself: these and no others, from now on.
    #[cfg(feature = "feed")]
    pub(crate) fn told(
        &self,
        issuer: &str,
        listed: impl Iterator<Item = (String, String, Option<SystemTime>)>,
        now: SystemTime,
    ) {
        match Keys::of(listed) {
            Ok(keys) if issuer == self.issuer => {
                let mut state = self.state();
                // An answer that is still under way is older.
                state.told_at = Some(now);
                state.known = Some(Known { keys: Arc::new(keys), etag: None, confirmed_at: now });
                state.failed_at = None;
            }
            _ => tracing::warn!(issuer, "countersign told of keys that cannot be used"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No step in here leaves it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn need(&self, kid: &str, now: SystemTime, keep: Duration) -> Need {
        let Some(known) = &self.known else { return Need::Wait };
        let age = elapsed(known.confirmed_at, now);
        let is_away = self.failed_at.is_some_and(|failed_at| elapsed(failed_at, now) < AWAY);
        if !known.keys.0.contains_key(kid) {
            Need::Wait
        } else if age < AGING {
            Need::Nothing
        } else if age < FRESH || (is_away && age < keep) {
            Need::Ask
        } else {
            Need::Wait
        }
    }

    fn pick(&self, kid: &str, now: SystemTime, keep: Duration) -> Result<Option<Arc<Key>>, Refusal> {
        let known = self.known.as_ref().filter(|known| elapsed(known.confirmed_at, now) < keep.max(FRESH));
        let known = known.ok_or(Refusal::KeysUnavailable)?;
        match known.keys.get(kid, now) {
            // It may be a new one, which nobody could tell us of.
            None if self.failed_at.is_some() && !known.keys.0.contains_key(kid) => Err(Refusal::KeysUnavailable),
            found => Ok(found),
        }
    }

    fn take(&mut self, answer: Result<Answer, super::http::FetchError>, now: SystemTime) {
        #[cfg(feature = "feed")]
        if self.told_at.is_some() && self.told_at >= self.asked_at {
            return;
        }
        match (answer, &mut self.known) {
            (Ok(Answer::Keys { keys, etag }), known) => {
                *known = Some(Known { keys: Arc::new(keys), etag, confirmed_at: now });
                self.failed_at = None;
            }
            (Ok(Answer::Unchanged), Some(known)) => {
                known.confirmed_at = now;
                self.failed_at = None;
            }
            (Ok(Answer::Unchanged), None) => self.failed_at = Some(now),
            (Err(error), _) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "countersign's keys cannot be fetched");
                self.failed_at = Some(now);
            }
        }
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
