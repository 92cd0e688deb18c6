//! A moment, as every layer and both databases agree on it.

use std::{
    fmt,
    ops::{Add, Sub},
    time::Duration,
};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds since 1970.
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The same moment cut to whole seconds, which is what a PASETO claim holds.
    #[must_use]
    pub const fn whole_seconds(self) -> Self {
        Self::from_unix_seconds(self.unix_seconds())
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.unix_seconds(), self.0.rem_euclid(1_000))
    }
}

/// A reading of a clock that nobody sets and that goes on while the machine sleeps: it tells how long ago something was, which
/// a time of day cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticks(Duration);

impl Ticks {
    /// So long after a moment that is the same for the whole life of the process.
    #[must_use]
    pub const fn from_duration(since_then: Duration) -> Self {
        Self(since_then)
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        let end = Timestamp::from_unix_millis(i64::MAX);
        assert_eq!(end + Duration::from_secs(1), end);
        assert_eq!(Timestamp::from_unix_millis(i64::MIN) - Duration::MAX, Timestamp::from_unix_millis(i64::MIN));
        assert_eq!(Timestamp::from_unix_seconds(i64::MAX).unix_millis(), i64::MAX);
    }

    #[test]
    fn a_moment_ahead_was_zero_ago() {
        let now = Timestamp::from_unix_millis(1_000);
        assert_eq!(now.since(Timestamp::from_unix_millis(2_000)), Duration::ZERO);
        assert_eq!(now.since(Timestamp::from_unix_millis(400)), Duration::from_millis(600));
    }

    #[test]
    fn seconds_are_cut_down_also_before_1970() {
        assert_eq!(Timestamp::from_unix_millis(1_999).whole_seconds(), Timestamp::from_unix_millis(1_000));
        assert_eq!(Timestamp::from_unix_millis(-1).unix_seconds(), -1);
    }
}
