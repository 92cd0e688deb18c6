//! What was revoked, as far as it was told, and how old that knowledge is. Pure: what was told is only ever added to.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use crate::Claims;

/// How long an entry is kept after the last token that it concerns has expired: more than any leeway.
const KEEP: Duration = Duration::from_mins(1);
/// By so much a clock may be set back without everything counting as old.
const STEP: Duration = Duration::from_secs(1);

/// What was told.
#[derive(Debug, Default)]
pub(super) struct Known {
    sessions: HashMap<[u8; 16], SystemTime>,
    epochs: HashMap<[u8; 16], (i64, SystemTime)>,
    /// Everything that was revoked before this moment, by our clock, was told.
    as_of: Option<SystemTime>,
    /// When everything was last told anew: what happened before, to tokens that had expired by then, was not.
    snapshot_at: Option<SystemTime>,
}

impl Known {
    pub(super) fn end_session(&mut self, session: [u8; 16], expires_at: SystemTime) {
        let kept = self.sessions.entry(session).or_insert(expires_at);
        *kept = expires_at.max(*kept);
    }

    /// Tokens of the user from before `epoch` count no more; of two such the greater holds.
    pub(super) fn begin_epoch(&mut self, user: [u8; 16], epoch: i64, expires_at: SystemTime) {
        let (least, kept) = self.epochs.entry(user).or_insert((epoch, expires_at));
        *least = epoch.max(*least);
        *kept = expires_at.max(*kept);
    }

    pub(super) fn begin_snapshot(&mut self, now: SystemTime) {
        self.snapshot_at = Some(now);
    }

    /// Everything from before `as_of` was told.
    pub(super) fn heard(&mut self, as_of: SystemTime, now: SystemTime) {
        // A moment to come is one from before the clock was set back.
        let before = self.as_of.filter(|before| *before <= now);
        self.as_of = before.max(Some(as_of));
    }

    pub(super) fn has_ended(&self, claims: &Claims) -> bool {
        let epoch = self.epochs.get(claims.user.as_bytes());
        self.sessions.contains_key(claims.session.as_bytes()) || epoch.is_some_and(|(least, _)| claims.epoch < *least)
    }

    /// Whether a stream that began at `since` has to end: its session has, or may have unheard.
    pub(super) fn ends_stream(&self, claims: &Claims, since: SystemTime) -> bool {
        let is_unheard = |at: SystemTime| at > since && claims.expires_at + KEEP < at;
        self.has_ended(claims) || self.snapshot_at.is_some_and(is_unheard)
    }

    /// How old this is; for ever old before everything was told once.
    pub(super) fn age(&self, now: SystemTime) -> Duration {
        let Some(as_of) = self.as_of else { return Duration::MAX };
        now.duration_since(as_of)
            .unwrap_or_else(|ahead| if ahead.duration() <= STEP { Duration::ZERO } else { Duration::MAX })
    }

    /// Forgets what concerns no token any more.
    pub(super) fn forget(&mut self, now: SystemTime) {
        let matters = |expires_at: SystemTime| now <= expires_at + KEEP;
        self.sessions.retain(|_, expires_at| matters(*expires_at));
        self.epochs.retain(|_, (_, expires_at)| matters(*expires_at));
    }
}

/// Tells when a message was sent, by our clock: one that lay in a queue is an old one, whenever it is read, and the service's
/// clock may be another than ours.
#[derive(Debug)]
pub(super) struct Line {
    /// When we called: whatever is said on this line is said later.
    called_at: SystemTime,
    /// Whether what there was to tell at first has been told.
    is_complete: bool,
    /// How far our clock is ahead of the service's, at most, in milliseconds.
    ahead: Option<i64>,
}

impl Line {
    pub(super) fn new(called_at: SystemTime) -> Self {
        Self { called_at, is_complete: false, ahead: None }
    }

    /// Everything from before was told.
    pub(super) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// The moment of ours, or one before it, at which the service's clock said `server`; `None` as long as there is more to tell,
    /// since what it says of itself until then is not yet known here.
    pub(super) fn sent_at(&mut self, server: SystemTime, now: SystemTime) -> Option<SystemTime> {
        if !self.is_complete {
            return None;
        }
        // It was sent after we called and before now: so far our clock may be ahead. What arrives fastest knows best.
        let before_now = millis(now) - millis(server);
        let known = self.ahead.unwrap_or_else(|| millis(self.called_at) - millis(server));
        let ahead = known.min(before_now);
        self.ahead = Some(ahead);
        let distance = Duration::from_millis(ahead.unsigned_abs());
        Some(if ahead < 0 { server - distance } else { server + distance })
    }
}

/// Since 1970; what does not fit is nearest the end.
fn millis(moment: SystemTime) -> i64 {
    match moment.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX / 4),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN / 4, |millis| -millis),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(500_000) + Duration::from_secs(seconds)
    }

    fn claims(epoch: i64) -> Claims {
        Claims {
            user: crate::UserId::from_bytes([1; 16]),
            session: crate::SessionId::from_bytes([2; 16]),
            token: crate::TokenId::from_bytes([3; 16]),
            epoch,
            roles: Vec::new(),
            authenticated_at: at(0),
            methods: Vec::new(),
            assurance: 1,
            issued_at: at(0),
            expires_at: at(300),
        }
    }

    #[test]
    fn what_was_told_stays_until_its_last_token_has_expired() {
        let mut known = Known::default();
        known.end_session([2; 16], at(300));
        known.end_session([2; 16], at(200));
        known.begin_snapshot(at(10));
        known.forget(at(360));
        assert!(known.has_ended(&claims(9)), "not even a snapshot takes it back");
        known.forget(at(361));
        assert!(!known.has_ended(&claims(9)));
    }

    #[test]
    fn the_greatest_epoch_holds() {
        let mut known = Known::default();
        known.begin_epoch([1; 16], 5, at(300));
        known.begin_epoch([1; 16], 4, at(300));
        assert!(known.has_ended(&claims(4)) && !known.has_ended(&claims(5)));
    }

    #[test]
    fn nothing_heard_is_for_ever_old() {
        let mut known = Known::default();
        assert_eq!(known.age(at(0)), Duration::MAX);
        known.heard(at(7), at(7));
        known.heard(at(5), at(8));
        assert_eq!(known.age(at(10)), Duration::from_secs(3));
        assert_eq!(known.age(at(6)), Duration::ZERO, "a clock is set by a little now and then");
        assert_eq!(known.age(at(5)), Duration::MAX, "but not by this much");
        known.heard(at(4), at(5));
        assert_eq!(known.age(at(5)), Duration::from_secs(1), "until something was heard since");
    }

    #[test]
    fn a_stream_whose_token_expired_unheard_ends() {
        let mut known = Known::default();
        known.begin_snapshot(at(1_000));
        assert!(known.ends_stream(&claims(0), at(10)));
        assert!(!known.ends_stream(&claims(0), at(1_001)), "it began later");
        let mut known = Known::default();
        known.begin_snapshot(at(360));
        assert!(!known.ends_stream(&claims(0), at(10)), "it would have been told");
    }

    #[test]
    fn a_message_is_as_old_as_it_is_however_the_clocks_differ() {
        for skew in [0, 3_600, -3_600_i64] {
            let server = |seconds: u64| {
                let skew_by = Duration::from_secs(skew.unsigned_abs());
                if skew < 0 { at(seconds) - skew_by } else { at(seconds) + skew_by }
            };
            let mut line = Line::new(at(10));
            assert_eq!(line.sent_at(server(11), at(11)), None, "there is more to tell");
            line.complete();
            assert_eq!(line.sent_at(server(12), at(12)), Some(at(10)), "not later than we can know");
            assert_eq!(line.sent_at(server(13), at(13)), Some(at(11)));
            // A stall of a minute, and then all at once.
            assert_eq!(line.sent_at(server(14), at(80)), Some(at(12)));
            assert_eq!(line.sent_at(server(79), at(80)), Some(at(77)));
            // Called, stopped for a minute, and what was said at once is read only then.
            let mut line = Line::new(at(100));
            line.complete();
            assert_eq!(line.sent_at(server(100), at(160)), Some(at(100)));
            assert_eq!(line.sent_at(server(160), at(160)), Some(at(160)));
        }
    }
}
