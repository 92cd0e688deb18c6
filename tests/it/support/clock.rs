//! A clock that stands still until a test turns it.

use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

use countersign::{
    clock::{Clock, SystemClock},
    domain::{Ticks, Timestamp},
};

/// A time of day that stands still; the time that passes does, and a test can add to it.
pub struct FakeClock {
    now: AtomicI64,
    slept: AtomicU64,
}

impl Default for FakeClock {
    fn default() -> Self {
        Self { now: AtomicI64::new(1_800_000_000_000), slept: AtomicU64::new(0) }
    }
}

impl FakeClock {
    pub fn advance(&self, by: Duration) {
        self.now.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub fn set_back(&self, by: Duration) {
        self.now.fetch_sub(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// As if the machine had slept: time passes, and nothing was done in it.
    pub fn sleep_through(&self, time: Duration) {
        self.slept.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.now.load(Ordering::SeqCst))
    }

    fn ticks(&self) -> Ticks {
        let started = Ticks::from_duration(Duration::ZERO);
        let slept = Duration::from_millis(self.slept.load(Ordering::SeqCst));
        Ticks::from_duration(SystemClock.ticks().since(started) + slept)
    }
}
