//! What was revoked within the longest life of an access token, in memory and exactly: so that a token that has not expired yet
//! stops passing at once, without a look into the database.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    fmt,
    hash::Hash,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use crate::domain::{News, STAYS_REVOKED_FOR, SessionId, Ticks, Timestamp, UserEpoch, UserId};

/// What was revoked, and how fresh that knowledge is.
#[derive(Default)]
pub struct Revocations(RwLock<Known>);

#[derive(Default)]
struct Known {
    sessions: HashMap<SessionId, Kept>,
    epochs: HashMap<UserId, (UserEpoch, Kept)>,
    /// Everything from before was learnt; `None` before everything was learnt once.
    as_of: Option<Ticks>,
}

/// Until when something is kept.
#[derive(Debug, Clone, Copy)]
struct Kept {
    expires_at: Timestamp,
    learnt_at: Ticks,
}

impl Kept {
    /// **I5**: by both clocks, so that one which runs ahead and is set back again brings nothing back.
    fn is_over(self, now: Timestamp, ticks: Ticks) -> bool {
        self.expires_at < now && ticks.since(self.learnt_at) > STAYS_REVOKED_FOR
    }

    fn longer(self, other: Self) -> Self {
        Self { expires_at: self.expires_at.max(other.expires_at), learnt_at: self.learnt_at.max(other.learnt_at) }
    }
}

impl Revocations {
    /// Adds news, each until its tokens are dead. **I5**: what is in stays in, whatever is added; of two epochs the later counts.
    pub fn add(&self, news: impl IntoIterator<Item = (News, Timestamp)>, learnt_at: Ticks) {
        let mut known = self.write();
        for (news, expires_at) in news {
            let kept = Kept { expires_at, learnt_at };
            match news {
                News::SessionEnded(session) => keep(&mut known.sessions, session, kept, Kept::longer),
                News::EpochBegan { user, epoch } => {
                    keep(&mut known.epochs, user, (epoch, kept), |(a, kept), (b, other)| {
                        (a.max(b), kept.longer(other))
                    });
                }
                // Kept elsewhere.
                News::KeysChanged | News::BackendsChanged => {}
            }
        }
    }

    /// Whether what a token names was revoked. **I2**: it is asked on each call, and never remembered with the token.
    #[must_use]
    pub fn refuse(&self, session: SessionId, user: UserId, epoch: UserEpoch) -> bool {
        let known = self.read();
        known.sessions.contains_key(&session) || known.epochs.get(&user).is_some_and(|(least, _)| epoch < *least)
    }

    /// Everything that is known.
    #[must_use]
    pub fn all(&self) -> Vec<(News, Timestamp)> {
        let known = self.read();
        let sessions = known.sessions.iter().map(|(session, kept)| (News::SessionEnded(*session), kept.expires_at));
        let epochs = known.epochs.iter();
        let epochs =
            epochs.map(|(user, (epoch, kept))| (News::EpochBegan { user: *user, epoch: *epoch }, kept.expires_at));
        sessions.chain(epochs).collect()
    }

    /// What is known and not among `found`, which may have a later epoch of a user in place of the known one.
    #[must_use]
    pub fn beside(&self, found: &[News]) -> Vec<News> {
        let mut sessions = HashSet::new();
        let mut epochs: HashMap<UserId, UserEpoch> = HashMap::new();
        for news in found {
            match *news {
                News::SessionEnded(session) => drop(sessions.insert(session)),
                News::EpochBegan { user, epoch } => keep(&mut epochs, user, epoch, UserEpoch::max),
                News::KeysChanged | News::BackendsChanged => {}
            }
        }
        let known = self.read();
        let lost = known.sessions.keys().filter(|session| !sessions.contains(session)).copied();
        let begun = known.epochs.iter().map(|(user, (epoch, _))| (*user, *epoch));
        let lost_epochs = begun.filter(|(user, epoch)| epochs.get(user).is_none_or(|found| found < epoch));
        lost.map(News::SessionEnded).chain(lost_epochs.map(|(user, epoch)| News::EpochBegan { user, epoch })).collect()
    }

    /// Everything up to a moment is known.
    pub fn complete_as_of(&self, ticks: Ticks) {
        let mut known = self.write();
        known.as_of = known.as_of.max(Some(ticks));
    }

    /// **I10**: whether everything was known once. Before, nobody can be told that a token counts.
    #[must_use]
    pub fn are_known(&self) -> bool {
        self.read().as_of.is_some()
    }

    /// How old this knowledge is (**I4**). A process that was stopped, or a machine that slept, finds it old when it wakes.
    #[must_use]
    pub fn age(&self, ticks: Ticks) -> Duration {
        self.read().as_of.map_or(Duration::MAX, |as_of| ticks.since(as_of))
    }

    /// How many sessions and how many users there is something known of.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let known = self.read();
        (known.sessions.len(), known.epochs.len())
    }

    /// Drops what can refuse no token any more.
    pub fn forget_expired(&self, now: Timestamp, ticks: Ticks) {
        let mut known = self.write();
        known.sessions.retain(|_, kept| !kept.is_over(now, ticks));
        known.epochs.retain(|_, (_, kept)| !kept.is_over(now, ticks));
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep<K: Eq + Hash, V: Copy>(map: &mut HashMap<K, V>, key: K, new: V, join: impl Fn(V, V) -> V) {
    match map.entry(key) {
        Entry::Occupied(mut there) => drop(there.insert(join(*there.get(), new))),
        Entry::Vacant(free) => drop(free.insert(new)),
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.read();
        f.debug_struct("Revocations")
            .field("sessions", &known.sessions.len())
            .field("epochs", &known.epochs.len())
            .field("as_of", &known.as_of)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: UserId = UserId::from_bytes([7; 16]);
    const EVE: UserId = UserId::from_bytes([8; 16]);
    const ONE: SessionId = SessionId::from_bytes([1; 16]);
    const TWO: SessionId = SessionId::from_bytes([2; 16]);

    fn ticks(seconds: u64) -> Ticks {
        Ticks::from_duration(Duration::from_secs(seconds))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn ended(session: SessionId, until: i64) -> (News, Timestamp) {
        (News::SessionEnded(session), at(until))
    }

    fn began(epoch: i64) -> (News, Timestamp) {
        (News::EpochBegan { user: ADA, epoch: UserEpoch::from_count(epoch) }, at(10))
    }

    #[test]
    fn an_ended_session_is_known_until_its_tokens_are_dead_by_both_clocks() {
        let revocations = Revocations::default();
        let refuses = |session| revocations.refuse(session, ADA, UserEpoch::default());
        revocations.add([ended(ONE, 10), ended(TWO, 2_000)], ticks(5));
        revocations.add([ended(ONE, 9)], ticks(0));
        let late = 5 + STAYS_REVOKED_FOR.as_secs();
        for (now, passed) in [(9_000, 5), (9_000, late), (10, late + 1)] {
            revocations.forget_expired(at(now), ticks(passed));
            assert!(refuses(ONE), "{now} {passed}");
        }
        revocations.forget_expired(at(11), ticks(late + 1));
        assert!(!refuses(ONE) && refuses(TWO));
    }

    #[test]
    fn tokens_of_an_earlier_epoch_are_dead_and_no_others() {
        let revocations = Revocations::default();
        revocations.add([began(3), began(2)], ticks(0));
        let refuses = |user, epoch| revocations.refuse(ONE, user, UserEpoch::from_count(epoch));
        assert!(refuses(ADA, 0) && refuses(ADA, 2), "the later of two epochs counts");
        assert!(!refuses(ADA, 3) && !refuses(ADA, 4) && !refuses(EVE, 0));
    }

    #[test]
    fn knowledge_grows_old_and_never_young_by_looking_back() {
        let revocations = Revocations::default();
        assert_eq!((revocations.are_known(), revocations.age(ticks(12))), (false, Duration::MAX));
        revocations.complete_as_of(ticks(10));
        assert!(revocations.are_known());
        assert_eq!(revocations.age(ticks(12)), Duration::from_secs(2));
        revocations.complete_as_of(ticks(20));
        revocations.complete_as_of(ticks(15));
        assert_eq!(revocations.age(ticks(21)), Duration::from_secs(1));
    }
}
