//! A letter as it waits in the outbox: sealed, so that whoever reads the database reads no mail.

use std::fmt;

use super::{LetterId, Timestamp, UserId};

/// A letter, or an errand that leads to one, written in the transaction of what causes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxLetter {
    /// The letter's, for as long as it is tried: what it is sealed to, and what its `Message-ID` is made of.
    pub id: LetterId,
    /// Whom it is about. Once they are gone, so is the letter; `None` for what must outlive them, or is about nobody known.
    pub user: Option<UserId>,
    /// When it was written.
    pub at: Timestamp,
    /// What it says, and to whom.
    pub sealed: SealedLetter,
}

/// What a letter says under the master key, a PASETO `v4.local`.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedLetter(String);

impl SealedLetter {
    /// From the text of it.
    #[must_use]
    pub const fn from_text(text: String) -> Self {
        Self(text)
    }

    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SealedLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedLetter([REDACTED])")
    }
}
