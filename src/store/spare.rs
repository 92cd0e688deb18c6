//! Connections that wait beside their pool for whoever needs one next. Each that goes back to the pool is asked first whether it
//! lives, by a task of its own; those that are used again within a moment are asked once in that while, not after each use.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{lease::Leased, takers::Takers};

/// How long one may stay away from its pool.
const AWAY: Duration = Duration::from_secs(1);

/// Some connections of one pool.
#[derive(Clone)]
pub(super) struct Spare {
    /// None once the pool closes.
    kept: Arc<Mutex<Option<Vec<Away>>>>,
    /// How many there are at most.
    most: usize,
    /// How many the pool has at most, with these.
    pool: usize,
    takers: Takers,
}

/// A connection, and since when it has been away from its pool.
pub(super) struct Away {
    pub(super) connection: Leased,
    since: Instant,
}

impl Away {
    /// One that has just been taken from its pool.
    pub(super) fn new(connection: Leased) -> Self {
        Self { connection, since: Instant::now() }
    }

    fn is_due(&self) -> bool {
        self.since.elapsed() >= AWAY
    }
}

impl Spare {
    /// None so far, and at most `most` of a pool with at most so many, which these take from.
    pub(super) fn of(pool: u32, most: u32, takers: Takers) -> Self {
        Self { kept: Arc::new(Mutex::new(Some(Vec::new()))), most: most as usize, pool: pool as usize, takers }
    }

    /// The one that was used last. Those that were away for too long go back.
    pub(super) fn take(&self) -> Option<Away> {
        let mut kept = self.kept();
        let kept = kept.as_mut()?;
        kept.retain(|one| !one.is_due());
        kept.pop()
    }

    /// Lets as many go back as somebody waits for, who has been counted.
    pub(super) fn make_room(&self) {
        if let Some(kept) = self.kept().as_mut() {
            let excess = (kept.len() + self.takers.count() as usize).saturating_sub(self.pool);
            kept.drain(..excess.min(kept.len()));
            kept.retain(|one| !one.is_due());
        }
    }

    /// Keeps one of which nothing is owed, whose taker is still counted, or lets it go back where somebody waits for it.
    pub(super) fn keep(&self, one: Away) {
        let mut kept = self.kept();
        let takers = self.takers.count() as usize;
        let is_room = |kept: &Vec<Away>| kept.len() < self.most && kept.len() + takers <= self.pool;
        if let Some(kept) = kept.as_mut().filter(|kept| is_room(kept) && !one.is_due()) {
            kept.push(one);
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.kept().as_ref().map_or(0, Vec::len)
    }

    /// Lets all go back, and keeps no more.
    pub(super) fn close(&self) {
        *self.kept() = None;
    }

    fn kept(&self) -> MutexGuard<'_, Option<Vec<Away>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
