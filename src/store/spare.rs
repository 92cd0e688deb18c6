//! Connections that wait beside their pool for whoever needs one next. Each that goes back to the pool is asked first whether it
//! lives, by a task of its own; those that are used again within a moment are asked once in that while, not after each use.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::lease::Leased;

/// How long one may stay away from its pool.
const AWAY: Duration = Duration::from_secs(1);

/// Some connections of one pool.
#[derive(Clone)]
pub(super) struct Spare {
    /// None once the pool closes.
    kept: Arc<Mutex<Option<Vec<Away>>>>,
    most: usize,
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
    /// At most half of a pool with so many connections: the others are for those who take from the pool itself.
    pub(super) fn of(pool: u32) -> Self {
        Self { kept: Arc::new(Mutex::new(Some(Vec::new()))), most: (pool / 2) as usize }
    }

    /// Those that were away for too long go back. Whoever needs a connection says so first, so that nobody waits for one of them.
    pub(super) fn let_due_go(&self) {
        if let Some(kept) = self.kept().as_mut() {
            kept.retain(|one| !one.is_due());
        }
    }

    /// The one that was used last.
    pub(super) fn take(&self) -> Option<Away> {
        self.kept().as_mut()?.pop()
    }

    /// Keeps one of which nothing is owed, or lets it go back.
    pub(super) fn keep(&self, one: Away) {
        if let Some(kept) = self.kept().as_mut().filter(|kept| kept.len() < self.most && !one.is_due()) {
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
