//! What was given up half way on a connection of a pool, so that what comes back then is looked at with care.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// For so long nobody trusts what comes back to a pool: far longer than a connection takes to come back.
const DOUBTFUL: Duration = Duration::from_secs(10);

/// When work on a connection of a pool was last given up half way. What that connection still owes, and whether it ever answers
/// again, nobody knows.
#[derive(Debug, Clone, Default)]
pub(super) struct GivenUp(Arc<Mutex<Option<Instant>>>);

/// Work on a connection; given up when it is dropped before it is done.
#[derive(Debug)]
pub(super) struct Work(Option<GivenUp>);

impl GivenUp {
    /// Work that begins now.
    pub(super) fn work(&self) -> Work {
        Work(Some(self.clone()))
    }

    /// Whether a connection which comes back now may be one that was given up.
    pub(super) fn is_recent(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|at| at.elapsed() < DOUBTFUL)
    }
}

impl Work {
    /// It is done.
    pub(super) fn finish(mut self) {
        self.0 = None;
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Some(GivenUp(at)) = &self.0 {
            *at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }
}
