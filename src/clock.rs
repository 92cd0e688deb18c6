//! The time of day, as an input: tests turn it, the service reads it.

use crate::domain::Timestamp;

/// Says what time it is. Read once per use case, so that one decision sees one moment.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = time::OffsetDateTime::now_utc() - time::OffsetDateTime::UNIX_EPOCH;
        Timestamp::from_unix_millis(i64::try_from(since_epoch.whole_milliseconds()).unwrap_or(i64::MAX))
    }
}
