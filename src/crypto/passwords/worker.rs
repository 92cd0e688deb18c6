//! A thread that hashes, one password after the other, in memory of its own.

use std::{
    hint,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use argon2_rust::Hasher;
use tokio::sync::oneshot;

use super::{
    Slot, Verdict, Watch,
    pace::Pace,
    phc::{Recipe, SALT_BYTES, Stored},
    take,
};
use crate::{
    clock::Clock,
    crypto::CryptoError,
    domain::{NewPassword, Password, PasswordHash, Ticks},
    entropy::Entropy,
};

/// More than a thread takes to wake.
const WAKING: Duration = Duration::from_millis(1);

/// What a thread is asked to do.
pub(super) enum Work {
    Hash { password: NewPassword, reply: oneshot::Sender<Result<PasswordHash, CryptoError>> },
    Verify { password: Password, hash: Option<PasswordHash>, reply: oneshot::Sender<Result<Verdict, CryptoError>> },
}

/// The thread's own.
pub(super) struct Worker {
    recipe: Recipe,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
    memory: Hasher,
    pace: Pace,
}

impl Worker {
    pub(super) fn new(recipe: Recipe, entropy: Arc<dyn Entropy>, clock: Arc<dyn Clock>) -> Self {
        Self { recipe, entropy, clock, memory: recipe.memory(), pace: Pace::default() }
    }

    /// Does what is asked until nobody is left to ask.
    pub(super) fn run(mut self, queue: &flume::Receiver<Slot>, watch: &Watch) {
        // What was taken out again is nobody's work any more.
        for job in queue.iter().filter_map(|slot| take(&slot)) {
            watch.running.fetch_add(1, Ordering::AcqRel);
            watch.metrics.hash_waits.record(job.asked_at.elapsed());
            self.perform(job.work, watch);
            drop(job.place);
            watch.running.fetch_sub(1, Ordering::AcqRel);
        }
    }

    fn perform(&mut self, work: Work, watch: &Watch) {
        let began = Instant::now();
        let took = || watch.metrics.hash_durations.record(began.elapsed());
        // Nobody listens when the caller has gone; the work was done all the same.
        match work {
            Work::Hash { password, reply } => {
                let hash = self.hash(password.as_password());
                took();
                drop(reply.send(hash));
            }
            Work::Verify { password, hash, reply } => {
                let verdict = self.verify(&password, hash.as_ref());
                took();
                drop(reply.send(verdict));
            }
        }
    }

    fn hash(&mut self, password: &Password) -> Result<PasswordHash, CryptoError> {
        let salt = self.entropy.bytes::<SALT_BYTES>();
        self.recipe.hash(password, salt, &mut self.memory)
    }

    fn verify(&mut self, password: &Password, hash: Option<&PasswordHash>) -> Result<Verdict, CryptoError> {
        let started = self.clock.ticks();
        let Some(hash) = hash else {
            self.decoy(password, started)?;
            return Ok(Verdict::Wrong);
        };
        let stored = Stored::read(hash)?;
        let is_right = stored.matches(password, &mut self.memory)?;
        if self.memory.reserved_blocks() > self.recipe.memory_kib() {
            // What an uncommonly costly hash took is given back.
            self.memory.clear();
        }
        if stored.is_weaker_than(self.recipe) {
            if is_right {
                return Ok(Verdict::Right { upgraded: Some(self.hash(password)?) });
            }
            self.linger(password, started)?;
        } else {
            self.pace.record(self.clock.ticks().since(started));
        }
        Ok(if is_right { Verdict::Right { upgraded: None } } else { Verdict::Wrong })
    }

    /// Does for nobody what is done for everybody.
    fn decoy(&mut self, password: &Password, started: Ticks) -> Result<(), CryptoError> {
        self.recipe.tag(password, &[0; SALT_BYTES], &mut self.memory)?;
        self.pace.record(self.clock.ticks().since(started));
        Ok(())
    }

    /// Keeps the thread for as long as a hash of today's would, which others that wait for it would notice too.
    fn linger(&mut self, password: &Password, started: Ticks) -> Result<(), CryptoError> {
        let [random] = self.entropy.bytes();
        match self.pace.pick(random) {
            Some(usual) => sleep_exactly(usual.saturating_sub(self.clock.ticks().since(started))),
            // Nobody knows yet how long that is.
            None => self.decoy(password, started)?,
        }
        Ok(())
    }
}

/// Sleeps, and is awake in time: from a sleep threads wake some tenths of a millisecond late, which can be told.
fn sleep_exactly(time: Duration) {
    let until = Instant::now() + time;
    thread::sleep(time.saturating_sub(WAKING));
    while Instant::now() < until {
        hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, vec};

    use super::*;
    use crate::{crypto::HashingSettings, domain::Timestamp, entropy::OsEntropy};

    const CHEAP: HashingSettings = HashingSettings::CHEAP;

    /// A clock that says what it is told to.
    struct Script(Mutex<vec::IntoIter<u64>>);

    impl Clock for Script {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_seconds(0)
        }

        fn ticks(&self) -> Ticks {
            Ticks::from_duration(Duration::from_millis(self.0.lock().unwrap().next().unwrap()))
        }
    }

    fn worker(ticks: Vec<u64>) -> Worker {
        let recipe = Recipe::new(&HashingSettings { memory_kib: 64, ..CHEAP }).unwrap();
        Worker::new(recipe, Arc::new(OsEntropy), Arc::new(Script(Mutex::new(ticks.into_iter()))))
    }

    fn weak_hash() -> PasswordHash {
        let recipe = Recipe::new(&CHEAP).unwrap();
        recipe.hash(&typed("right"), [7; SALT_BYTES], &mut recipe.memory()).unwrap()
    }

    fn typed(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    #[test]
    fn a_wrong_password_takes_as_long_under_weaker_parameters() {
        let weak = weak_hash();
        // A decoy that took 30 ms, and a weaker hash that took 1.
        let mut worker = worker(vec![0, 30, 100, 101]);
        assert_eq!(worker.verify(&typed("wrong"), None), Ok(Verdict::Wrong));
        let began = Instant::now();
        assert_eq!(worker.verify(&typed("wrong"), Some(&weak)), Ok(Verdict::Wrong));
        assert!(began.elapsed() >= Duration::from_millis(29));
    }

    #[test]
    fn what_a_costly_hash_took_is_given_back() {
        let costly = Recipe::new(&HashingSettings { memory_kib: 4_096, ..CHEAP }).unwrap();
        let hash = costly.hash(&typed("right"), [7; SALT_BYTES], &mut costly.memory()).unwrap();
        let mut worker = worker(vec![0, 1, 2, 3]);
        assert_eq!(worker.verify(&typed("right"), Some(&hash)), Ok(Verdict::Right { upgraded: None }));
        assert_eq!(worker.memory.reserved_blocks(), 0);
        assert_eq!(worker.verify(&typed("right"), None), Ok(Verdict::Wrong));
        assert_eq!(worker.memory.reserved_blocks(), 64);
    }

    #[test]
    fn where_nobody_knows_how_long_that_is_a_decoy_is_hashed_after_it() {
        let weak = weak_hash();
        let mut worker = worker(vec![0, 30]);
        assert_eq!(worker.verify(&typed("wrong"), Some(&weak)), Ok(Verdict::Wrong));
        assert_eq!(worker.pace.pick(0), Some(Duration::from_millis(30)));
    }
}
