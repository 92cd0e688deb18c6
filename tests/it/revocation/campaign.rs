//! The long forms, for `make revocation-campaign`: thousands of revocations, and how long each takes to be everywhere.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::Executor as _;
use tokio::task::JoinSet;

use super::{
    log_in, log_out,
    propagation::{DELAYS, WRITERS, follow_naively},
    races::race,
    verdict,
};
use crate::support::{Engine, TestApp, grpc::sign_up, say};

const REVOCATIONS: usize = 10_000;
const RACES: usize = 10_000;
/// What is promised.
const BOUND: Duration = Duration::from_secs(1);

/// From acknowledgements to refusals, in milliseconds.
fn report(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let at = |share: usize| took[(took.len() * share / 1_000).min(took.len() - 1)].as_secs_f64() * 1_000.0;
    say(format_args!(
        "{what}: {} revocations, ms from acknowledgement to refusal on the other node: p50 {:.2}  p99 {:.2}  p99.9 {:.2}  max {:.2}",
        took.len(),
        at(500),
        at(990),
        at(999),
        at(1_000)
    ));
}

async fn propagate(what: &str, delays: bool) {
    let one = TestApp::spawn(Engine::Postgres).await;
    let other = one.another_node().await;
    if delays {
        one.database.postgres().await.execute(DELAYS).await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(!delays));
    let naive = if delays {
        Some(tokio::spawn(follow_naively(one.database.postgres().await, Arc::clone(&stop))))
    } else {
        None
    };
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let email = format!("user{writer}@example.com");
        sign_up(&mut one.client().await, &email).await;
        let nodes = [one.app.clone(), other.app.clone()];
        writers.spawn(async move {
            let mut took = Vec::new();
            for round in 0..REVOCATIONS / WRITERS {
                let (from, to) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
                let session = log_in(from, &email).await.tokens.access;
                assert_eq!(verdict(to, &session).await, "passes");
                log_out(from, &session).await;
                let acknowledged = Instant::now();
                assert_eq!(verdict(from, &session).await, "session ended");
                while verdict(to, &session).await != "session ended" {
                    tokio::task::yield_now().await;
                    assert!(acknowledged.elapsed() < BOUND, "missed");
                }
                took.push(acknowledged.elapsed());
            }
            took
        });
    }
    let took: Vec<Duration> = writers.join_all().await.into_iter().flatten().collect();
    stop.store(true, Ordering::SeqCst);
    report(what, took);
    if let Some(naive) = naive {
        let seen = naive.await.unwrap().len();
        let all = usize::try_from(one.database.number("SELECT COUNT(*) FROM naive").await).unwrap();
        say(format_args!("{what}: a cursor over serial numbers missed {} of {all}", all - seen));
        assert!(seen < all);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes: make revocation-campaign"]
async fn ten_thousand_revocations_are_everywhere_within_the_bound() {
    Box::pin(propagate("two nodes, 16 writers", false)).await;
    Box::pin(propagate("the same, transactions delayed by up to 40 ms", true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes: make revocation-campaign"]
async fn ten_thousand_races_bring_no_session_back() {
    Box::pin(race(false, RACES)).await;
    Box::pin(race(true, RACES)).await;
}
