//! Telling other services what was revoked, as this node learns it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{
    sync::{
        broadcast::{Receiver, error::RecvError},
        watch,
    },
    time::{Interval, MissedTickBehavior, interval},
};

use super::{
    Backend, Error, Rejection, Verifier,
    told::{AllNews, Learnt},
    verifier::Authority,
};
use crate::domain::{EdgeState, FeedCursor, News, PublicKeys, Ticks};

/// How often a listener hears something, though there is nothing new; and how often where it stands, which is larger than what it
/// is mostly told. Whoever loses the line in between is told that again.
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
    Revoked(AllNews),
    /// Everything up to here was told: from here one may go on later.
    UpTo(Vec<u8>),
    /// The keys that verify are others now, or these are the first that it hears of.
    Keys(PublicKeys),
    /// The same for an edge, and what else it has to know.
    ForEdge(EdgeState),
    /// There was nothing new.
    Heartbeat,
    /// It should come again, and will be told nothing more here.
    GoAway,
}

/// One service that listens.
pub struct Watch {
    verifier: Verifier,
    backend: Backend,
    as_edge: bool,
    learnt: Receiver<Arc<Learnt>>,
    closing: watch::Receiver<bool>,
    heartbeat: Interval,
    since: Ticks,
    until: Duration,
    untold: VecDeque<WatchEvent>,
    /// Where that ends, as long as it was not told.
    place: Option<Vec<u8>>,
    is_over: bool,
}

impl Verifier {
    /// Begins to tell a service what is revoked: from the place on where it left, or else everything.
    ///
    /// # Errors
    /// [`Rejection::Forbidden`] when it may not see tokens of this service, or would be told what an edge is and is none; when
    /// the database fails.
    pub async fn watch_revocations(&self, backend: Backend, resume: &[u8], as_edge: bool) -> Result<Watch, Error> {
        if !backend.may_see(self.trusted()?.tokens.audience()) || (as_edge && !backend.is_edge()) {
            return Err(Rejection::Forbidden.into());
        }
        // First it listens, then it looks: what happens in between is told twice rather than never.
        let (learnt, place, lately) = self.0.told.listen(resume);
        let missed = match &self.0.authority {
            Authority::Database(_) => self.since(resume).await?,
            Authority::Upstream(_) => lately.map(|missed| (missed, place.clone())),
        };
        let mut untold = VecDeque::new();
        let told_up_to = if let Some((missed, later)) = missed {
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
        let mut watch = Watch {
            verifier: self.clone(),
            backend,
            as_edge,
            learnt,
            closing: self.0.told.closing(),
            heartbeat,
            since: self.0.clock.ticks(),
            // Up to a tenth less: what began together should not all come again together.
            until: LONGEST.mul_f64(1.0 - f64::from(random) / 2_550.0),
            untold,
            place: None,
            is_over: false,
        };
        watch.untold.push_front(watch.keys()?);
        Ok(watch)
    }

    /// What happened after a place, and where that ends; `None` when the feed does not go on from there.
    async fn since(&self, place: &[u8]) -> Result<Option<(AllNews, Vec<u8>)>, Error> {
        let Authority::Database(store) = &self.0.authority else { return Ok(None) };
        let Some(mut place) = FeedCursor::from_bytes(store.feed_parts(), place) else { return Ok(None) };
        let mut missed = Vec::new();
        loop {
            let page = store.feed_for_another(&place).await?;
            let Ok(new) = place.advance(&page) else { return Ok(None) };
            missed.extend(new.iter().map(|entry| (entry.news, entry.expires_at)));
            if page.is_last {
                return Ok(Some((missed, place.to_bytes())));
            }
        }
    }

    /// Tells every listener to come again: this node is about to stop.
    pub fn stop_watches(&self) {
        self.0.told.close();
    }

    fn edge_state(&self) -> Result<EdgeState, Error> {
        let trust = self.trusted()?;
        Ok(EdgeState {
            keys: self.public_keys()?,
            revoked_keys: trust.revoked.clone(),
            audience: trust.tokens.audience().to_owned(),
            backends: self.backends().iter().map(|backend| (**backend).clone()).collect(),
        })
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
        while self.untold.is_empty() {
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
                Ok(learnt) => self.take(&learnt)?,
                // It was too slow to be told everything: it goes on from where it was told to.
                Err(RecvError::Lagged(_) | RecvError::Closed) => self.send_away(),
            },
            () = async { drop(self.closing.wait_for(|is_closing| *is_closing).await) } => {
                self.send_away();
            }
            _ = self.heartbeat.tick() => {
                self.verifier.require_let_in(&self.backend)?;
                let is_long = self.verifier.0.clock.ticks().since(self.since) >= self.until;
                if is_long {
                    self.send_away();
                } else {
                    self.untold.push_back(self.place.take().map_or(WatchEvent::Heartbeat, WatchEvent::UpTo));
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, learnt: &Learnt) -> Result<(), Error> {
        let concerns = |news: &News| *news == News::KeysChanged || (self.as_edge && *news == News::BackendsChanged);
        if learnt.news.iter().any(|(news, _)| concerns(news)) {
            self.untold.push_back(self.keys()?);
        }
        self.untold.extend(batches(learnt.news.clone()));
        self.place = Some(learnt.place.clone());
        // It tells on what it has a place for.
        if self.as_edge {
            self.tell_place();
        }
        Ok(())
    }

    fn tell_place(&mut self) {
        self.untold.extend(self.place.take().map(WatchEvent::UpTo));
    }

    /// With what it needs to go on from where it was told to.
    fn send_away(&mut self) {
        self.tell_place();
        self.untold.push_back(WatchEvent::GoAway);
    }

    fn keys(&self) -> Result<WatchEvent, Error> {
        Ok(if self.as_edge {
            WatchEvent::ForEdge(self.verifier.edge_state()?)
        } else {
            WatchEvent::Keys(self.verifier.public_keys()?)
        })
    }
}

/// What concerns those who listen, in messages of a bounded size.
fn batches(news: AllNews) -> impl Iterator<Item = WatchEvent> {
    let of_tokens = |news: &News| matches!(news, News::SessionEnded(_) | News::EpochBegan { .. });
    let news: Vec<_> = news.into_iter().filter(|(news, _)| of_tokens(news)).collect();
    let batches: Vec<WatchEvent> = news.chunks(BATCH).map(|batch| WatchEvent::Revoked(batch.to_vec())).collect();
    batches.into_iter()
}
