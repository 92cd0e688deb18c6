//! Password hashing on threads of its own: behind a bounded gate, so that a flood of sign-ins takes neither the memory nor
//! the threads that answer everybody else.

mod pace;
mod phc;
mod worker;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::{Instant, timeout},
};

use super::{CryptoError, HashingSettings};
use crate::{
    clock::Clock,
    domain::{NewPassword, Password, PasswordHash},
    entropy::Entropy,
    metrics::Metrics,
};
use phc::Recipe;
use worker::{Work, Worker};

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    jobs: flume::Sender<Slot>,
    /// One for each call that waits or hashes. It travels with the job and is given back when the thread is done, also when the
    /// caller has gone: callers that hang up must not be a way around the bound.
    places: Arc<Semaphore>,
    /// How many of both there may be.
    most: usize,
    max_wait: Duration,
    watch: Watch,
}

/// What the threads say of themselves.
#[derive(Clone)]
struct Watch {
    /// How many of them hash.
    running: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
}

/// A job that waits. Whoever takes it out has it: a thread, or its caller, who waits no longer.
type Slot = Arc<Mutex<Option<Job>>>;

struct Job {
    work: Work,
    asked_at: Instant,
    place: OwnedSemaphorePermit,
}

/// The caller's side of a [`Slot`]: once they have gone nothing is hashed for them.
struct Waiting(Slot);

/// What checking a password found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is another password, or there is none.
    Wrong,
    /// It is the one.
    Right {
        /// The same password under today's parameters, where these have risen since it was hashed.
        upgraded: Option<PasswordHash>,
    },
}

/// Why a password was not hashed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HashingError {
    /// Too many others are waiting.
    #[error("password hashing is overloaded")]
    Overloaded {
        /// When another try makes sense.
        retry_after: Duration,
    },
    /// Something broke.
    #[error(transparent)]
    Failed(#[from] CryptoError),
}

impl Waiting {
    /// Whether no thread has begun with it, and none will.
    fn withdraw(&self) -> bool {
        take(&self.0).is_some()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.withdraw();
    }
}

fn take(slot: &Slot) -> Option<Job> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Passwords {
    /// Starts the threads. They end when the last handle is dropped.
    ///
    /// # Errors
    /// When the parameters are not Argon2id's, or the system gives no threads.
    pub fn start(
        settings: HashingSettings,
        entropy: &Arc<dyn Entropy>,
        clock: &Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, CryptoError> {
        let recipe = Recipe::new(&settings)?;
        let (passwords, queue) = Self::queue(&settings, metrics);
        for index in 0..settings.threads {
            let worker = Worker::new(recipe, Arc::clone(entropy), Arc::clone(clock));
            let (queue, watch) = (queue.clone(), passwords.watch.clone());
            thread::Builder::new()
                .name(format!("hash-{index}"))
                .spawn(move || worker.run(&queue, &watch))
                .map_err(|_| CryptoError::Failed { operation: "thread start" })?;
        }
        Ok(passwords)
    }

    /// What threads take their jobs from, before there are any.
    fn queue(settings: &HashingSettings, metrics: Arc<Metrics>) -> (Self, flume::Receiver<Slot>) {
        let (jobs, queue) = flume::unbounded();
        let most = settings.threads + settings.queue;
        let watch = Watch { running: Arc::default(), metrics };
        let places = Arc::new(Semaphore::new(most));
        (Self { jobs, places, most, max_wait: settings.max_wait, watch }, queue)
    }

    /// Hashes a password for keeping.
    ///
    /// # Errors
    /// [`HashingError::Overloaded`] when the queue is full or does not move.
    pub async fn hash(&self, password: NewPassword) -> Result<PasswordHash, HashingError> {
        self.run(|reply| Work::Hash { password, reply }).await
    }

    /// Checks what was typed. Without a hash to check against, and with one under weaker parameters than today's, it takes as
    /// long, so that the time does not tell whether there is an account.
    ///
    /// # Errors
    /// [`HashingError::Overloaded`] when the queue is full or does not move; [`CryptoError::MalformedHash`].
    pub async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<Verdict, HashingError> {
        self.run(|reply| Work::Verify { password, hash, reply }).await
    }

    /// Whether no thread hashes.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.watch.running.load(Ordering::Acquire) == 0
    }

    /// How many passwords are being hashed, and how many wait.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        let running = self.watch.running.load(Ordering::Acquire);
        let all = self.most - self.places.available_permits();
        (running, all.saturating_sub(running))
    }

    async fn run<T>(
        &self,
        work: impl FnOnce(oneshot::Sender<Result<T, CryptoError>>) -> Work,
    ) -> Result<T, HashingError> {
        let refused = |reason| {
            self.watch.metrics.hash_refused.count([reason]);
            HashingError::Overloaded { retry_after: self.max_wait }
        };
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| refused("queue_full"))?;
        let (reply, mut answer) = oneshot::channel();
        let slot = Arc::new(Mutex::new(Some(Job { work: work(reply), asked_at: Instant::now(), place })));
        let waiting = Waiting(Arc::clone(&slot));
        self.jobs.send(slot).map_err(|_| CryptoError::Stopped)?;
        let answered = match timeout(self.max_wait, &mut answer).await {
            Ok(answered) => answered,
            Err(_) if waiting.withdraw() => return Err(refused("waited_too_long")),
            Err(_) => answer.await,
        };
        Ok(answered.map_err(|_| CryptoError::Stopped)??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::SystemClock, domain::PasswordPolicy, entropy::OsEntropy};

    const CHEAP: HashingSettings = HashingSettings::CHEAP;

    fn passwords(settings: HashingSettings) -> Passwords {
        let (entropy, clock): (Arc<dyn Entropy>, Arc<dyn Clock>) = (Arc::new(OsEntropy), Arc::new(SystemClock));
        Passwords::start(settings, &entropy, &clock, Arc::default()).unwrap()
    }

    fn chosen(text: &str) -> NewPassword {
        NewPassword::parse(text, PasswordPolicy { min_code_points: 8 }).unwrap()
    }

    #[tokio::test]
    async fn only_the_password_itself_is_right() {
        let passwords = passwords(CHEAP);
        let hash = passwords.hash(chosen("correct horse battery")).await.unwrap();
        assert_ne!(hash, passwords.hash(chosen("correct horse battery")).await.unwrap(), "each has a salt of its own");
        for (typed, verdict) in [
            ("correct horse battery", Verdict::Right { upgraded: None }),
            ("correct horse battery ", Verdict::Wrong),
            ("Correct horse battery", Verdict::Wrong),
        ] {
            let typed = Password::parse(typed).unwrap();
            assert_eq!(passwords.verify(typed, Some(hash.clone())).await, Ok(verdict));
        }
        assert_eq!(passwords.verify(Password::parse("any").unwrap(), None).await, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn a_hash_is_upgraded_when_the_parameters_rose() {
        let old = passwords(CHEAP).hash(chosen("correct horse battery")).await.unwrap();
        let now = passwords(HashingSettings { memory_kib: 64, ..CHEAP });
        let typed = Password::parse("correct horse battery").unwrap();
        let Verdict::Right { upgraded: Some(new) } = now.verify(typed.clone(), Some(old)).await.unwrap() else {
            panic!("right, and upgraded");
        };
        assert_eq!(now.verify(typed, Some(new)).await, Ok(Verdict::Right { upgraded: None }));
    }

    /// A queue that no thread takes from yet.
    fn nobody_hashes(settings: &HashingSettings) -> (Passwords, flume::Receiver<Slot>) {
        Passwords::queue(&HashingSettings { threads: 0, ..*settings }, Arc::default())
    }

    fn begin(passwords: &Passwords, queue: flume::Receiver<Slot>) {
        let worker = Worker::new(Recipe::new(&CHEAP).unwrap(), Arc::new(OsEntropy), Arc::new(SystemClock));
        let watch = passwords.watch.clone();
        thread::spawn(move || worker.run(&queue, &watch));
    }

    #[tokio::test]
    async fn beyond_the_queue_and_beyond_the_wait_a_call_is_refused() {
        let settings = HashingSettings { queue: 1, max_wait: Duration::ZERO, ..CHEAP };
        let (mut passwords, queue) = nobody_hashes(&settings);
        let typed = || Password::parse("any").unwrap();
        let overloaded = Err(HashingError::Overloaded { retry_after: Duration::ZERO });
        assert_eq!(passwords.verify(typed(), None).await, overloaded, "it waited long enough");
        let place = Arc::clone(&passwords.places).try_acquire_owned().expect("which was given back");
        assert_eq!(passwords.verify(typed(), None).await, overloaded, "the queue is full");
        drop(place);
        passwords.max_wait = Duration::MAX;
        begin(&passwords, queue);
        assert_eq!(passwords.verify(typed(), None).await, Ok(Verdict::Wrong), "and it recovers");
    }

    #[tokio::test]
    async fn who_hangs_up_while_they_wait_gives_their_place_back_and_is_not_hashed_for() {
        let (passwords, queue) = nobody_hashes(&HashingSettings { queue: 1, max_wait: Duration::MAX, ..CHEAP });
        let verify = |passwords: &Passwords| {
            let passwords = passwords.clone();
            async move { passwords.verify(Password::parse("any").unwrap(), None).await }
        };
        let call = tokio::spawn(verify(&passwords));
        while queue.is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(passwords.load(), (0, 1));
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        assert_eq!(passwords.load(), (0, 0), "the job is gone, and its place with it");
        begin(&passwords, queue);
        assert_eq!(verify(&passwords).await, Ok(Verdict::Wrong), "who came after");
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_gives_nothing_back_before_its_thread_is_done() {
        let slow = HashingSettings { memory_kib: 64 * 1_024, iterations: 3, threads: 1, queue: 0, ..CHEAP };
        let passwords = passwords(slow);
        let call = tokio::spawn({
            let passwords = passwords.clone();
            async move { passwords.verify(Password::parse("any").unwrap(), None).await }
        });
        while passwords.is_idle() {
            tokio::task::yield_now().await;
        }
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        assert_eq!(passwords.load(), (1, 0), "the thread still hashes");
        let freed = passwords.places.acquire().await.unwrap();
        assert_eq!(freed.num_permits(), 1);
    }
}
