//! A crowd of listeners on one node: for `make revocation-campaign`, which prints what it costs.

use std::time::{Duration, Instant};

use countersign::{
    domain::BackendKey,
    proto::{
        LogoutRequest, WatchRevocationsRequest, token_service_client::TokenServiceClient,
        watch_revocations_response::Event,
    },
};
use tokio::{sync::mpsc, task::JoinSet};
use tonic::Streaming;

use crate::support::{
    grpc::{login, sign_up, with_bearer},
    process::{Binary, Serving, in_time},
    say,
};

const LISTENERS: u32 = 2_000;
const PER_CONNECTION: u32 = 100;
const REVOCATIONS: usize = 50;

/// Resident memory in kilobytes, and processor time in milliseconds.
fn cost(serving: &Serving) -> (u64, u64) {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", serving.pid())).unwrap();
    let status = read("status");
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let memory = memory.split_whitespace().next().unwrap().parse().unwrap();
    let stat = read("stat");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    (memory, ticks * 10)
}

async fn next_batch(stream: &mut Streaming<countersign::proto::WatchRevocationsResponse>) -> bool {
    matches!(stream.message().await.unwrap().unwrap().event, Some(Event::Revocations(_)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes: make revocation-campaign"]
async fn two_thousand_listeners_hear_of_it_within_the_bound() {
    let binary = Binary::default().patient();
    let serving = binary.serve().await;
    let key = binary.run(&["backend", "create", "--name", "gateway"]).await.stdout;
    let key = BackendKey::from_text(key.trim_end().to_owned());
    let mut people = serving.client().await;
    sign_up(&mut people, "ada@example.com").await;

    let (idle, _) = cost(&serving);
    let (heard, mut hearing) = mpsc::unbounded_channel();
    let mut listeners = JoinSet::new();
    for _ in 0..LISTENERS / PER_CONNECTION {
        let client = TokenServiceClient::connect(serving.url.clone()).await.unwrap();
        for _ in 0..PER_CONNECTION {
            let (mut client, key, heard) = (client.clone(), key.expose().to_owned(), heard.clone());
            let mut stream = loop {
                let request = with_bearer(WatchRevocationsRequest::default(), &key);
                if let Ok(answer) = client.watch_revocations(request).await {
                    break answer.into_inner();
                }
            };
            listeners.spawn(async move {
                loop {
                    if next_batch(&mut stream).await && heard.send(Instant::now()).is_err() {
                        return;
                    }
                }
            });
        }
    }
    let (crowded, busy) = cost(&serving);
    let began = Instant::now();
    let mut took = Vec::new();
    for _ in 0..REVOCATIONS {
        let token = login(&mut people, "ada@example.com").await.unwrap().tokens.unwrap().access_token;
        people.logout(with_bearer(LogoutRequest::default(), &token)).await.unwrap();
        let acknowledged = Instant::now();
        for _ in 0..LISTENERS {
            let at = in_time(hearing.recv()).await.unwrap();
            took.push(at.saturating_duration_since(acknowledged));
        }
    }
    let (_, after) = cost(&serving);
    took.sort();
    let at = |share: usize| took[(took.len() * share / 1_000).min(took.len() - 1)].as_secs_f64() * 1_000.0;
    say(format_args!(
        "{LISTENERS} listeners on one node: {} KiB each; {REVOCATIONS} revocations told to all, ms from acknowledgement: \
         p50 {:.1}  p99 {:.1}  max {:.1}; processor {} % of one",
        (crowded - idle) / u64::from(LISTENERS),
        at(500),
        at(990),
        at(1_000),
        100 * u128::from(after - busy) / began.elapsed().as_millis()
    ));
    assert!(took.last().unwrap() < &Duration::from_secs(1));
}
