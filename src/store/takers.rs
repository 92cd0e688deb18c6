//! Who has a connection of a pool, or waits for one.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// How many have a connection of a pool, or wait for one.
#[derive(Clone, Default)]
pub(super) struct Takers(Arc<AtomicU32>);

/// One of them, until it is dropped.
pub(super) struct Taker(Takers);

impl Takers {
    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn one_more(&self) -> Taker {
        self.0.fetch_add(1, Ordering::Relaxed);
        Taker(self.clone())
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
