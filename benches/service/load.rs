//! Calls, as fast as they are answered or by the clock.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use super::process::Running;

/// What became of many calls.
#[derive(Debug, Default, Clone)]
pub struct Outcome {
    /// How long each took.
    pub latencies: Vec<Duration>,
    /// What the server had of the processors.
    pub cpu: Duration,
    /// From the first to the last.
    pub wall: Duration,
}

impl Outcome {
    /// Server CPU for one call, in µs.
    pub fn cpu_per_call(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.calls()
    }

    /// Calls a second.
    pub fn rate(&self) -> f64 {
        self.calls() / self.wall.as_secs_f64()
    }

    /// What so many hundredths of the calls took at most, in ms.
    pub fn percentile(&self, hundredths: usize) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        sorted[(sorted.len() * hundredths / 100).min(sorted.len() - 1)].as_secs_f64() * 1e3
    }

    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.cpu += other.cpu;
        self.wall += other.wall;
    }

    /// How many there were.
    #[expect(clippy::cast_precision_loss, reason = "so many calls are never made")]
    pub fn calls(&self) -> f64 {
        self.latencies.len() as f64
    }
}

/// What makes a call; it is told which number the call, or the client that calls, has.
pub trait Call<F>: Fn(usize) -> F + Clone + Send + Sync + 'static {}

impl<F, C: Fn(usize) -> F + Clone + Send + Sync + 'static> Call<F> for C {}

/// `calls` calls by `clients` who each call again as soon as they have an answer.
pub async fn closed<F>(server: &Running, clients: usize, calls: usize, call: impl Call<F>) -> Outcome
where
    F: Future<Output = ()> + Send + 'static,
{
    let next = Arc::new(AtomicUsize::new(0));
    let client = |_| {
        let (next, call) = (Arc::clone(&next), call.clone());
        async move {
            let mut latencies = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= calls {
                    return latencies;
                }
                latencies.push(timed(call(number)).await);
            }
        }
    };
    all(|| server.cpu(), (0..clients).map(client)).await
}

/// Calls by `clients` who each call again as soon as they have an answer, until there is a call by which `going` is over.
pub async fn while_going<F>(server: &Running, clients: usize, going: &Arc<AtomicBool>, call: impl Call<F>) -> Outcome
where
    F: Future<Output = ()> + Send + 'static,
{
    let client = |number| {
        let (going, call) = (Arc::clone(going), call.clone());
        async move {
            let mut latencies = Vec::new();
            while going.load(Ordering::Relaxed) {
                latencies.push(timed(call(number)).await);
            }
            latencies
        }
    };
    all(|| server.cpu(), (0..clients).map(client)).await
}

/// Clients who each say how long their calls took, beside each other; `cpu` is what is had of the processors so far.
pub async fn all(
    cpu: impl Fn() -> Duration,
    clients: impl Iterator<Item = impl Future<Output = Vec<Duration>> + Send + 'static>,
) -> Outcome {
    let (before, started) = (cpu(), Instant::now());
    let latencies = clients.collect::<JoinSet<_>>().join_all().await.concat();
    Outcome { latencies, cpu: cpu() - before, wall: started.elapsed() }
}

pub async fn timed(call: impl Future<Output = ()>) -> Duration {
    let called = Instant::now();
    call.await;
    called.elapsed()
}

/// A call every `pause` for `time`, whether those before are answered or not; each is timed from the moment that it was due.
pub async fn by_the_clock<F>(server: &Running, pause: Duration, time: Duration, call: impl Call<F>) -> Outcome
where
    F: Future<Output = ()> + Send + 'static,
{
    let (cpu, started) = (server.cpu(), tokio::time::Instant::now());
    let mut calls = JoinSet::new();
    for number in 0.. {
        let due = started + pause * u32::try_from(number).unwrap();
        if due - started >= time {
            break;
        }
        tokio::time::sleep_until(due).await;
        let call = call(number);
        calls.spawn(async move {
            call.await;
            due.elapsed()
        });
    }
    let latencies = calls.join_all().await;
    Outcome { latencies, cpu: server.cpu() - cpu, wall: started.elapsed() }
}
