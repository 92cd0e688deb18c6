//! A clock that stands until a test turns it.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

#[derive(Clone)]
pub struct FakeClock(Arc<Mutex<SystemTime>>);

impl Default for FakeClock {
    fn default() -> Self {
        // 2027-01-15T08:00:00Z
        Self(Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_hours(500_000))))
    }
}

impl FakeClock {
    /// Stands at this very moment, for tokens that the service made.
    pub fn at_present() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the service's own clock is not the test's to turn")]
        Self(Arc::new(Mutex::new(SystemTime::now())))
    }

    pub fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }

    pub fn advance(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
    }

    pub fn set_back(&self, duration: Duration) {
        *self.0.lock().unwrap() -= duration;
    }

    /// For `VerifierBuilder::clock`.
    pub fn reader(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        let clock = self.clone();
        move || clock.now()
    }
}
