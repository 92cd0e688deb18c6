//! Password hashing on threads of its own: behind a bounded gate, so that a flood of sign-ins takes neither the memory nor
//! the threads that answer everybody else.

mod pace;
mod phc;
mod worker;

use std::{
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{CryptoError, HashingSettings};
use crate::{
    clock::Clock,
    domain::{NewPassword, Password, PasswordHash},
    entropy::Entropy,
};
use phc::Recipe;
use worker::{Work, Worker};

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    jobs: mpsc::Sender<Job>,
    /// One for each call that waits or hashes.
    places: Arc<Semaphore>,
    /// One for each thread. It travels with the job and is given back when the thread is done, also when the caller has gone:
    /// callers that hang up must not be a way around the bound.
    permits: Arc<Semaphore>,
    threads: usize,
    max_wait: Duration,
}

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

struct Job {
    work: Work,
    _place: OwnedSemaphorePermit,
    _permit: OwnedSemaphorePermit,
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
    ) -> Result<Self, CryptoError> {
        let recipe = Recipe::new(&settings)?;
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for index in 0..settings.threads {
            let queue = Arc::clone(&queue);
            let worker = Worker::new(recipe, Arc::clone(entropy), Arc::clone(clock));
            thread::Builder::new()
                .name(format!("hash-{index}"))
                .spawn(move || worker.run(&queue))
                .map_err(|_| CryptoError::Failed { operation: "thread start" })?;
        }
        Ok(Self {
            jobs,
            places: Arc::new(Semaphore::new(settings.threads + settings.queue)),
            permits: Arc::new(Semaphore::new(settings.threads)),
            threads: settings.threads,
            max_wait: settings.max_wait,
        })
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
        self.permits.available_permits() == self.threads
    }

    async fn run<T>(
        &self,
        work: impl FnOnce(oneshot::Sender<Result<T, CryptoError>>) -> Work,
    ) -> Result<T, HashingError> {
        let overloaded = HashingError::Overloaded { retry_after: self.max_wait };
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| overloaded.clone())?;
        let permit = tokio::time::timeout(self.max_wait, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| overloaded)?
            .map_err(|_| CryptoError::Stopped)?;
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job { work: work(reply), _place: place, _permit: permit }).map_err(|_| CryptoError::Stopped)?;
        Ok(answer.await.map_err(|_| CryptoError::Stopped)??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::SystemClock, domain::PasswordPolicy, entropy::OsEntropy};

    const CHEAP: HashingSettings = HashingSettings::CHEAP;

    fn passwords(settings: HashingSettings) -> Passwords {
        let (entropy, clock): (Arc<dyn Entropy>, Arc<dyn Clock>) = (Arc::new(OsEntropy), Arc::new(SystemClock));
        Passwords::start(settings, &entropy, &clock).unwrap()
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

    /// The gate without threads behind it: whatever gets a permit keeps it, as if its hash never ended.
    #[tokio::test]
    async fn beyond_the_queue_and_beyond_the_wait_a_call_is_refused() {
        let settings = HashingSettings { queue: 1, max_wait: Duration::ZERO, ..CHEAP };
        let passwords = passwords(settings);
        let busy = Arc::clone(&passwords.permits).acquire_many_owned(2).await.unwrap();
        let typed = || Password::parse("any").unwrap();
        let overloaded = Err(HashingError::Overloaded { retry_after: Duration::ZERO });
        assert_eq!(passwords.verify(typed(), None).await, overloaded, "it waited long enough");
        let places = Arc::clone(&passwords.places).acquire_many_owned(3).await.unwrap();
        assert_eq!(passwords.verify(typed(), None).await, overloaded, "the queue is full");
        drop((busy, places));
        assert_eq!(passwords.verify(typed(), None).await, Ok(Verdict::Wrong), "and it recovers");
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_gives_nothing_back_before_its_thread_is_done() {
        let slow = HashingSettings { memory_kib: 64 * 1_024, iterations: 3, threads: 1, ..CHEAP };
        let passwords = passwords(slow);
        let call = tokio::spawn({
            let passwords = passwords.clone();
            async move { passwords.verify(Password::parse("any").unwrap(), None).await }
        });
        while passwords.permits.available_permits() == 1 {
            tokio::task::yield_now().await;
        }
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        assert_eq!(passwords.permits.available_permits(), 0, "the thread still hashes");
        let freed = passwords.permits.acquire().await.unwrap();
        assert_eq!(freed.num_permits(), 1);
    }
}
