//! Where a node had come in the feed, as it is remembered outside the database.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{FeedCursor, KeyId};

/// A place in the feed of one database. Later states of that database have the feed up to there; earlier ones, such as a
/// restored backup, do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedMark {
    /// The first signing key of the database, which tells it from any other: rows of keys are never deleted.
    pub database: KeyId,
    /// [`FeedCursor::to_bytes`].
    pub place: Vec<u8>,
}

/// The text is not a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not what was written there")]
pub struct InvalidFeedMark;

impl FeedMark {
    /// Of the database with this first signing key, at `place`.
    #[must_use]
    pub fn new(database: KeyId, place: &FeedCursor) -> Self {
        Self { database, place: place.to_bytes() }
    }
}

impl fmt::Display for FeedMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.database, URL_SAFE_NO_PAD.encode(&self.place))
    }
}

impl FromStr for FeedMark {
    type Err = InvalidFeedMark;

    fn from_str(text: &str) -> Result<Self, InvalidFeedMark> {
        let (database, place) = text.trim_end().split_once(' ').ok_or(InvalidFeedMark)?;
        let place = URL_SAFE_NO_PAD.decode(place).map_err(|_| InvalidFeedMark)?;
        Ok(Self { database: KeyId::from_paserk(database.to_owned()), place })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_nothing_else_is_one() {
        let mark = FeedMark::new(KeyId::from_paserk("k4.pid.x".to_owned()), &FeedCursor::behind(16, &[]));
        assert_eq!(format!("{mark}\n").parse(), Ok(mark));
        for junk in ["", "k4.pid.x", "k4.pid.x ?", "k4.pid.x AA AA"] {
            assert_eq!(junk.parse::<FeedMark>(), Err(InvalidFeedMark), "{junk:?}");
        }
    }
}
