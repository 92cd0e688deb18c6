//! The feed of revocations: what every node has to know of every other, numbered without gaps, and where a reader of it stands.

use std::{collections::BTreeMap, time::Duration};

use super::{AuditId, LONGEST_ACCESS_LIFETIME, SessionId, Timestamp, UserEpoch, UserId};

/// How long after a revocation some token may still look good: an access token's longest life, whatever this node's settings
/// are, the leeway of whoever verifies it, and what the clocks of two nodes may be apart.
pub const STAYS_REVOKED_FOR: Duration = LONGEST_ACCESS_LIFETIME.saturating_add(Duration::from_mins(2));

/// What a node has to hear of. Many sessions of one user are one piece of news, however many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// A session has ended, and every token of it.
    SessionEnded(SessionId),
    /// Every token of the user that was made in an earlier epoch is dead.
    EpochBegan {
        /// Whose.
        user: UserId,
        /// The epoch that began.
        epoch: UserEpoch,
    },
    /// A signing key was added, became active, was retired or revoked: read them all again.
    KeysChanged,
    /// A service was let in or shut out: read them all again.
    BackendsChanged,
}

/// One entry of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its part of the feed: each is numbered by itself, so that not all transactions that revoke wait for each other.
    pub part: u8,
    /// Its number there, from one, without gaps.
    pub seq: i64,
    /// What caused it. Tells it from another entry with its number, where the database was set back and went on differently.
    pub cause: AuditId,
    /// What it says.
    pub news: News,
    /// When no token is left that it could refuse.
    pub expires_at: Timestamp,
}

/// What was read at once, in the order of parts and numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// The entries.
    pub entries: Vec<FeedEntry>,
    /// Whether there was nothing more to read.
    pub is_last: bool,
}

/// The feed is not the one that was read before: the database was set back, or what comes next was deleted long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the feed does not go on where it was left")]
pub struct Rewound;

/// Of a cursor in bytes.
const VERSION: u8 = 1;
/// Of one part: its number and what caused it.
const ANCHOR: usize = 8 + 16;

/// Where a reader stands: the last entry that it has read in each part. It reads that one again each time, and goes on only
/// if it finds the same (**I7**: the identity of the log is that of its entries).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedCursor(BTreeMap<u8, Anchor>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Anchor {
    seq: i64,
    /// `None` at the beginning, where there is nothing to find again.
    cause: Option<AuditId>,
}

impl FeedCursor {
    /// Behind the last of `entries`, in each of the first `parts`.
    #[must_use]
    pub fn behind(parts: u8, entries: &[FeedEntry]) -> Self {
        let mut anchors: BTreeMap<u8, Anchor> = (0..parts).map(|part| (part, Anchor { seq: 0, cause: None })).collect();
        for entry in entries {
            if let Some(anchor) = anchors.get_mut(&entry.part).filter(|anchor| anchor.seq < entry.seq) {
                *anchor = Anchor { seq: entry.seq, cause: Some(entry.cause) };
            }
        }
        Self(anchors)
    }

    /// As bytes that [`Self::from_bytes`] reads: of each part the number and what caused it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        for anchor in self.0.values() {
            bytes.extend(anchor.seq.to_be_bytes());
            bytes.extend(anchor.cause.map_or([0; 16], |cause| *cause.as_bytes()));
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote, for a feed of that many parts; `None` for anything else. Whoever makes one up finds
    /// that it does not go on from there.
    #[must_use]
    pub fn from_bytes(parts: u8, bytes: &[u8]) -> Option<Self> {
        let (&version, anchors) = bytes.split_first()?;
        if version != VERSION || anchors.len() != ANCHOR * usize::from(parts) {
            return None;
        }
        let read = |bytes: &[u8]| {
            let (seq, cause) = bytes.split_at(8);
            let seq = i64::from_be_bytes(seq.try_into().ok()?);
            let cause = AuditId::from_bytes(cause.try_into().ok()?);
            (seq >= 0).then_some(Anchor { seq, cause: (seq > 0).then_some(cause) })
        };
        let anchors: Option<Vec<Anchor>> = anchors.chunks_exact(ANCHOR).map(read).collect();
        Some(Self((0..parts).zip(anchors?).collect()))
    }

    /// From which number on to read in each part: that of the anchor itself.
    pub fn positions(&self) -> impl Iterator<Item = (u8, i64)> {
        self.0.iter().map(|(part, anchor)| (*part, anchor.seq))
    }

    /// Whether a feed that has come to `heads`, and has `found` of the anchors, may be a later state of this one. It has to have
    /// come as far in every part, and where it has an anchor's number that must be the anchor; one that it has passed may have
    /// been deleted since, as old entries are.
    #[must_use]
    pub fn may_have_become(&self, heads: &BTreeMap<u8, i64>, found: &[FeedEntry]) -> bool {
        self.0.iter().filter(|(_, anchor)| anchor.cause.is_some()).all(|(part, anchor)| {
            match found.iter().find(|entry| (entry.part, entry.seq) == (*part, anchor.seq)) {
                Some(entry) => *anchor == *entry,
                None => heads.get(part).is_some_and(|head| *head > anchor.seq),
            }
        })
    }

    /// Moves behind what was read from [`Self::positions`] on, and gives what is new in it. **I6**: an entry is passed only
    /// after every one with a smaller number.
    ///
    /// # Errors
    /// [`Rewound`] when an anchor is not there any more, or a number is missing; the cursor stands where it stood.
    pub fn advance(&mut self, page: &FeedPage) -> Result<Vec<FeedEntry>, Rewound> {
        let mut moved = self.clone();
        let mut new = Vec::new();
        let read_to = if page.is_last { u8::MAX } else { page.entries.last().map_or(0, |entry| entry.part) };
        for (part, anchor) in moved.0.range_mut(..=read_to) {
            let mut entries = page.entries.iter().filter(|entry| entry.part == *part);
            if anchor.cause.is_some() {
                entries.next().filter(|first| *anchor == **first).ok_or(Rewound)?;
            }
            for entry in entries {
                if entry.seq != anchor.seq + 1 {
                    return Err(Rewound);
                }
                *anchor = Anchor { seq: entry.seq, cause: Some(entry.cause) };
                new.push(entry.clone());
            }
        }
        *self = moved;
        Ok(new)
    }
}

impl PartialEq<FeedEntry> for Anchor {
    fn eq(&self, entry: &FeedEntry) -> bool {
        self.seq == entry.seq && self.cause == Some(entry.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(part: u8, seq: i64, cause: u8) -> FeedEntry {
        let news = News::SessionEnded(SessionId::from_bytes([cause; 16]));
        let cause = AuditId::from_bytes([cause; 16]);
        FeedEntry { part, seq, cause, news, expires_at: Timestamp::from_unix_millis(0) }
    }

    fn page(entries: &[FeedEntry]) -> FeedPage {
        FeedPage { entries: entries.to_vec(), is_last: true }
    }

    #[test]
    fn what_follows_the_anchor_is_new() {
        let mut cursor = FeedCursor::behind(2, &[entry(1, 3, 3), entry(1, 4, 4)]);
        assert_eq!(cursor.positions().collect::<Vec<_>>(), [(0, 0), (1, 4)]);
        let new = [entry(0, 1, 9), entry(1, 5, 5), entry(1, 6, 6)];
        let read = [new[0].clone(), entry(1, 4, 4), new[1].clone(), new[2].clone()];
        assert_eq!(cursor.advance(&page(&read)), Ok(new.to_vec()));
        assert_eq!(cursor.positions().collect::<Vec<_>>(), [(0, 1), (1, 6)]);
        assert_eq!(cursor.advance(&page(&[entry(0, 1, 9), entry(1, 6, 6)])), Ok(vec![]));
    }

    #[test]
    fn a_log_that_was_set_back_is_noticed_and_moves_nothing() {
        let cursor = FeedCursor::behind(1, &[entry(0, 4, 4)]);
        for read in [
            &[][..],
            &[entry(0, 4, 7)],
            &[entry(0, 5, 5)],
            &[entry(0, 4, 4), entry(0, 6, 6)],
            &[entry(0, 4, 7), entry(0, 5, 5)],
        ] {
            let mut reader = cursor.clone();
            assert_eq!(reader.advance(&page(read)), Err(Rewound), "{read:?}");
            assert_eq!(reader, cursor);
        }
        let mut from_the_start = FeedCursor::behind(1, &[]);
        assert_eq!(from_the_start.advance(&page(&[entry(0, 2, 2)])), Err(Rewound), "the first one is missing");
    }

    #[test]
    fn a_place_in_bytes_is_the_same_place() {
        let cursor = FeedCursor::behind(2, &[entry(1, 3, 7)]);
        let bytes = cursor.to_bytes();
        assert_eq!(FeedCursor::from_bytes(2, &bytes), Some(cursor));
        assert_eq!(FeedCursor::from_bytes(1, &bytes), None, "a feed of fewer parts is another feed");
        for junk in [&[][..], &[0], &bytes[..bytes.len() - 1], &[2; 49], &[0xff; 49]] {
            assert_eq!(FeedCursor::from_bytes(2, junk), None, "{junk:?}");
        }
    }

    #[test]
    fn a_feed_that_was_set_back_is_told_from_one_that_went_on() {
        let stood = FeedCursor::behind(2, &[entry(0, 4, 4)]);
        let became = |head, found: &[FeedEntry]| stood.may_have_become(&BTreeMap::from([(0, head), (1, 0)]), found);
        assert!(became(4, &[entry(0, 4, 4)]), "as it was");
        assert!(became(9, &[entry(0, 4, 4)]), "went on");
        assert!(became(9, &[]), "went on, and old entries were deleted");
        assert!(!became(3, &[]), "set back");
        assert!(!became(4, &[entry(0, 4, 7)]), "set back, and went on differently");
        assert!(!became(9, &[entry(0, 4, 7)]), "and further");
        assert!(!became(4, &[]), "the newest entry is never deleted");
        assert!(!stood.may_have_become(&BTreeMap::new(), &[]), "there is no such part");
        assert!(FeedCursor::behind(2, &[]).may_have_become(&BTreeMap::new(), &[]), "nothing was there to be lost");
    }

    #[test]
    fn parts_behind_the_end_of_a_page_are_not_judged_by_it() {
        let mut cursor = FeedCursor::behind(3, &[entry(0, 1, 1), entry(1, 1, 2), entry(2, 1, 3)]);
        let first = FeedPage { entries: vec![entry(0, 1, 1), entry(0, 2, 4), entry(1, 1, 2)], is_last: false };
        assert_eq!(cursor.advance(&first), Ok(vec![entry(0, 2, 4)]));
        assert_eq!(cursor.positions().collect::<Vec<_>>(), [(0, 2), (1, 1), (2, 1)]);
    }
}
