//! The time of day, and the time that passes, as inputs: tests turn them, the service reads them.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::domain::{Ticks, Timestamp};

/// Says what time it is. Read once per use case, so that one decision sees one moment.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// How much time has passed, whatever the time of day was set to.
    fn ticks(&self) -> Ticks;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// The standard library's `Instant` stands still while a machine is suspended, and what it remembers grows old all the same.
#[cfg(target_os = "linux")]
const PASSING: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const PASSING: ClockId = ClockId::Monotonic;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = time::OffsetDateTime::now_utc() - time::OffsetDateTime::UNIX_EPOCH;
        Timestamp::from_unix_millis(i64::try_from(since_epoch.whole_milliseconds()).unwrap_or(i64::MAX))
    }

    fn ticks(&self) -> Ticks {
        let read = clock_gettime(PASSING);
        let seconds = u64::try_from(read.tv_sec).unwrap_or(0);
        Ticks::from_duration(Duration::new(seconds, u32::try_from(read.tv_nsec).unwrap_or(0)))
    }
}
