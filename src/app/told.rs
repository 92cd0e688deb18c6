//! What this node has learnt, for those who listen, and what it tells again to those who come again.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{broadcast, watch};

use crate::domain::{News, Timestamp};

/// News, each with the moment at which it stops to matter.
pub(super) type AllNews = Vec<(News, Timestamp)>;

/// What this node has learnt at once, and where in the feed it stands then.
#[derive(Debug)]
pub(super) struct Learnt {
    pub(super) news: AllNews,
    pub(super) place: Vec<u8>,
}

/// What this node has learnt, for those who listen.
pub(super) struct Told {
    news: broadcast::Sender<Arc<Learnt>>,
    /// Whether this node is about to stop.
    closing: watch::Sender<bool>,
    so_far: Mutex<SoFar>,
    /// How much of what was told lately is told again to who comes again.
    kept: usize,
}

/// Where in the feed this node stands, and how it came there of late.
#[derive(Default)]
struct SoFar {
    place: Vec<u8>,
    lately: VecDeque<Arc<Learnt>>,
}

/// How many of what was learnt at once a slow listener may be behind.
const BACKLOG: usize = 256;

impl Told {
    /// Where the database has it.
    pub(super) const NOTHING_AGAIN: usize = 0;
    /// Elsewhere: some seconds of a busy day, in a megabyte.
    pub(super) const LATELY_AGAIN: usize = 10_000;

    pub(super) fn new(kept: usize) -> Self {
        let (news, closing) = (broadcast::Sender::new(BACKLOG), watch::Sender::new(false));
        Self { news, closing, so_far: Mutex::default(), kept }
    }

    /// What was learnt, to whom it concerns.
    pub(super) fn tell(&self, news: AllNews, place: Vec<u8>) {
        let mut so_far = self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        so_far.place.clone_from(&place);
        if news.is_empty() {
            return;
        }
        let learnt = Arc::new(Learnt { news, place });
        so_far.lately.push_back(Arc::clone(&learnt));
        while so_far.lately.iter().map(|learnt| learnt.news.len()).sum::<usize>() > self.kept {
            so_far.lately.pop_front();
        }
        // Nobody has to listen. Told before anybody else learns the place, so that what they miss is what comes after it.
        let _ = self.news.send(learnt);
    }

    /// Whatever is told from now on; where that begins, and what was told lately after another place, if that is known.
    pub(super) fn listen(&self, place: &[u8]) -> (broadcast::Receiver<Arc<Learnt>>, Vec<u8>, Option<AllNews>) {
        let so_far = self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        let missed = if place.is_empty() {
            None
        } else if so_far.place == place {
            Some(Vec::new())
        } else {
            let told_there = so_far.lately.iter().position(|learnt| learnt.place == place);
            told_there.map(|at| so_far.lately.iter().skip(at + 1).flat_map(|learnt| learnt.news.clone()).collect())
        };
        (self.news.subscribe(), so_far.place.clone(), missed)
    }

    /// How many listen.
    pub(super) fn listeners(&self) -> usize {
        self.news.receiver_count()
    }

    /// Turns true when every listener should come again.
    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// This node is about to stop.
    pub(super) fn close(&self) {
        self.closing.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SessionId;

    fn news(number: u8) -> (News, Timestamp) {
        (News::SessionEnded(SessionId::from_bytes([number; 16])), Timestamp::from_unix_millis(0))
    }

    fn missed(told: &Told, place: &[u8]) -> Option<AllNews> {
        told.listen(place).2
    }

    #[test]
    fn who_comes_again_soon_is_told_what_was_missed_and_later_everything() {
        let told = Told::new(3);
        assert_eq!(missed(&told, b""), None, "who never was told anything");
        for number in 1..=3 {
            told.tell(vec![news(number)], vec![number]);
        }
        assert_eq!(missed(&told, &[1]), Some(vec![news(2), news(3)]));
        assert_eq!(missed(&told, &[3]), Some(vec![]));
        assert_eq!(missed(&told, b"elsewhere"), None);
        told.tell(vec![news(4)], vec![4]);
        assert_eq!(missed(&told, &[1]), None, "that is too long ago");
        told.tell(Vec::new(), vec![5]);
        assert_eq!(missed(&told, &[5]), Some(vec![]));
        told.tell((6..10).map(news).collect(), vec![9]);
        assert_eq!(missed(&told, &[5]), None, "that was too much");
        assert_eq!(missed(&told, &[9]), Some(vec![]));
    }

    #[test]
    fn what_happens_after_the_look_is_heard() {
        let told = Told::new(Told::NOTHING_AGAIN);
        told.tell(vec![news(1)], vec![1]);
        let (mut learnt, place, _) = told.listen(b"");
        assert_eq!(place, [1]);
        told.tell(vec![news(2)], vec![2]);
        assert_eq!(learnt.try_recv().unwrap().news, [news(2)]);
        assert!(learnt.try_recv().is_err());
        assert_eq!(missed(&told, &[1]), None, "the database knows");
    }
}
