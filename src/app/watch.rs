//! Telling other services what was revoked, as this node learns it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{
    sync::{
        broadcast::{Receiver, error::RecvError},
        watch,
    },
    time::{Interval, MissedTickBehavior, interval},
};

use super::{App, Backend, Error, Rejection};
use crate::domain::{FeedCursor, FeedEntry, News, Ticks, Timestamp};

/// What this node has learnt at once, and where in the feed it stands then.
#[derive(Debug)]
pub(super) struct Learnt {
    pub(super) entries: Vec<FeedEntry>,
    pub(super) place: FeedCursor,
}

/// How many of those a slow listener may be behind.
pub(super) const BACKLOG: usize = 256;

/// How often a listener hears that there is nothing new.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long one listens at a time: shorter than a connection lives, so that the service ends it in an orderly way, and its
/// listeners spread over the nodes that there are.
const LONGEST: Duration = Duration::from_mins(10);
/// The most that is told at once.
const BATCH: usize = 1_000;

/// What a listener is told.
#[derive(Debug)]
pub enum WatchEvent {
    /// What it knows may be too little: all that is known follows.
    SnapshotBegins {
        /// How much.
        count: usize,
    },
    /// What was revoked, and until when that matters.
    Revoked(Vec<(News, Timestamp)>),
    /// Everything up to here was told: from here one may go on later.
    UpTo(FeedCursor),
    /// The keys that verify are others now, or these are the first that it hears of.
    Keys,
    /// There was nothing new.
    Heartbeat,
    /// It should come again, and will be told nothing more here.
    GoAway,
}

/// One service that listens.
pub struct Watch {
    app: App,
    backend: Backend,
    learnt: Receiver<Arc<Learnt>>,
    closing: watch::Receiver<bool>,
    heartbeat: Interval,
    since: Ticks,
    until: Duration,
    untold: VecDeque<WatchEvent>,
    is_over: bool,
}

impl App {
    /// Begins to tell a service what is revoked: from the place on where it left, or else everything.
    ///
    /// # Errors
    /// [`Rejection::Forbidden`] when it may not see tokens of this service; when the database fails.
    pub async fn watch_revocations(&self, backend: Backend, resume: &[u8]) -> Result<Watch, Error> {
        if !backend.may_see(&self.0.policy.audience) {
            return Err(Rejection::Forbidden.into());
        }
        // First it listens, then it looks: what happens in between is told twice rather than never.
        let (learnt, place) = {
            let cursor = self.0.cursor.lock().await;
            (self.0.news.subscribe(), cursor.clone())
        };
        let mut untold = VecDeque::from([WatchEvent::Keys]);
        let told_up_to = if let Some((missed, later)) = self.since(place.from_bytes(resume)).await? {
            untold.extend(batches(missed));
            later
        } else {
            let all = self.0.revocations.all();
            untold.push_back(WatchEvent::SnapshotBegins { count: all.len() });
            untold.extend(batches(all));
            place
        };
        untold.push_back(WatchEvent::UpTo(told_up_to));
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let [random] = self.0.entropy.bytes();
        Ok(Watch {
            app: self.clone(),
            backend,
            learnt,
            closing: self.0.closing.subscribe(),
            heartbeat,
            since: self.0.clock.ticks(),
            // Up to a tenth less: what began together should not all come again together.
            until: LONGEST.mul_f64(1.0 - f64::from(random) / 2_550.0),
            untold,
            is_over: false,
        })
    }

    /// What happened after a place, and where that ends; `None` when the feed does not go on from there.
    async fn since(&self, place: Option<FeedCursor>) -> Result<Option<(Vec<(News, Timestamp)>, FeedCursor)>, Error> {
        let Some(mut place) = place else { return Ok(None) };
        let mut missed = Vec::new();
        loop {
            let page = self.0.store.feed_for_another(&place).await?;
            let Ok(new) = place.advance(&page) else { return Ok(None) };
            missed.extend(new.iter().map(|entry| (entry.news, entry.expires_at)));
            if page.is_last {
                return Ok(Some((missed, place)));
            }
        }
    }

    /// Tells every listener to come again: this node is about to stop.
    pub fn stop_watches(&self) {
        self.0.closing.send_replace(true);
    }

    /// What was learnt, to whom it concerns.
    pub(super) fn tell(&self, entries: Vec<FeedEntry>, place: &FeedCursor) {
        if !entries.is_empty() {
            // Nobody has to listen.
            let _ = self.0.news.send(Arc::new(Learnt { entries, place: place.clone() }));
        }
    }
}

impl Watch {
    /// What there is to tell next; `None` after the end.
    ///
    /// # Errors
    /// [`Rejection::TokenInvalid`] once the service was shut out.
    pub async fn next(&mut self) -> Result<Option<WatchEvent>, Error> {
        if self.is_over {
            return Ok(None);
        }
        if self.untold.is_empty() {
            self.listen().await?;
        }
        let event = self.untold.pop_front();
        self.is_over = matches!(event, Some(WatchEvent::GoAway));
        Ok(event)
    }

    /// Waits until there is something to tell.
    async fn listen(&mut self) -> Result<(), Error> {
        tokio::select! {
            learnt = self.learnt.recv() => match learnt {
                Ok(learnt) => self.take(&learnt),
                // It was too slow to be told everything: it goes on from where it was told to.
                Err(RecvError::Lagged(_) | RecvError::Closed) => self.untold.push_back(WatchEvent::GoAway),
            },
            () = async { drop(self.closing.wait_for(|is_closing| *is_closing).await) } => {
                self.untold.push_back(WatchEvent::GoAway);
            }
            _ = self.heartbeat.tick() => {
                self.app.require_let_in(&self.backend)?;
                let is_long = self.app.0.clock.ticks().since(self.since) >= self.until;
                self.untold.push_back(if is_long { WatchEvent::GoAway } else { WatchEvent::Heartbeat });
            }
        }
        Ok(())
    }

    fn take(&mut self, learnt: &Learnt) {
        let news: Vec<_> = learnt.entries.iter().map(|entry| (entry.news, entry.expires_at)).collect();
        if news.iter().any(|(news, _)| *news == News::KeysChanged) {
            self.untold.push_back(WatchEvent::Keys);
        }
        self.untold.extend(batches(news));
        self.untold.push_back(WatchEvent::UpTo(learnt.place.clone()));
    }
}

/// What concerns those who listen, in messages of a bounded size.
fn batches(news: Vec<(News, Timestamp)>) -> impl Iterator<Item = WatchEvent> {
    let of_tokens = |news: &News| matches!(news, News::SessionEnded(_) | News::EpochBegan { .. });
    let news: Vec<_> = news.into_iter().filter(|(news, _)| of_tokens(news)).collect();
    let batches: Vec<WatchEvent> = news.chunks(BATCH).map(|batch| WatchEvent::Revoked(batch.to_vec())).collect();
    batches.into_iter()
}
