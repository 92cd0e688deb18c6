//! Signing keys that change every second, under load: nobody is refused, on no node and by no verifier. And keys that are
//! revoked: everybody is, everywhere, within a second.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use countersign::{
    clock::Clock as _,
    domain::{BackendKey, KeyState},
    proto::WhoAmIRequest,
    store::KeyRevocation,
};
use countersign_client::{Feed, OnStale, Verifier, VerifierBuilder};
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    support::{
        Engine, TestApp,
        grpc::{Client, refresh, summary, with_bearer},
        process::in_time,
        say,
    },
    token_service::{Tokens, ask, connect, let_in, verify},
};

const WORKERS: usize = 4;
/// A minute more than the time for which a verifier keeps the keys without asking again: real keys are published for two hours.
const LEAD: Duration = Duration::from_mins(4).saturating_add(Duration::from_secs(1));
/// What is promised.
const BOUND: Duration = Duration::from_secs(1);

impl TestApp {
    /// A verifier of this service's tokens, on its clock, which finds it at `url`.
    pub fn verifier(&self, url: &str) -> VerifierBuilder {
        let clock = Arc::clone(&self.clock);
        let since = move || Duration::from_millis(u64::try_from(clock.now().unix_millis()).unwrap());
        Verifier::builder(&self.setup.policy.issuer)
            .keys_url(format!("{url}/.well-known/countersign/keys"))
            .clock(move || SystemTime::UNIX_EPOCH + since())
    }
}

/// Two nodes, and two services that verify by themselves: one that listens to the feed, and one that does not.
struct Everybody {
    nodes: [TestApp; 2],
    clients: [(Client, Tokens); 2],
    key: BackendKey,
    listener: Verifier,
    loner: Verifier,
}

impl Everybody {
    async fn start() -> Arc<Self> {
        let one = TestApp::spawn(Engine::Postgres).await;
        let other = one.another_node().await;
        let key = let_in(&one, "gateway", &["countersign"]).await;
        other.app.pull_revocations().await.unwrap();
        // An hour of theirs passes in a second of ours: what is heard is never as old as it seems.
        let feed = Feed::new(key.expose()).url(&other.url).stale_after(Duration::from_hours(1)).on_stale(OnStale::Deny);
        let listener = other.verifier(&other.url).feed(feed).build().unwrap();
        let loner = one.verifier(&one.url).build().unwrap();
        in_time(async { while listener.revocations_age().unwrap() > BOUND {} }).await;
        let clients = [(one.client().await, connect(&one).await), (other.client().await, connect(&other).await)];
        Arc::new(Self { nodes: [one, other], clients, key, listener, loner })
    }

    /// Who refuses a token, of all who can be asked.
    async fn refusing(&self, token: &str) -> Vec<String> {
        let mut refusals = Vec::new();
        for (number, (mut people, mut services)) in self.clients.clone().into_iter().enumerate() {
            if let Err(refusal) = people.who_am_i(with_bearer(WhoAmIRequest {}, token)).await {
                refusals.push(format!("WhoAmI on node {number}: {}", summary(&refusal)));
            }
            let answer = verify(&mut services, &self.key, ask(token)).await.unwrap();
            if !answer.status.unwrap().active {
                refusals.push(format!("VerifyToken on node {number}"));
            }
        }
        for (name, verifier) in [("the listener", &self.listener), ("the loner", &self.loner)] {
            if let Err(refusal) = verifier.verify(token).await {
                refusals.push(format!("{name}: {refusal}"));
            }
        }
        refusals
    }

    /// Publishes the next key, waits as long as keys are published, and lets it sign.
    async fn rotate(&self) {
        let [one, other] = &self.nodes;
        one.app.publish_next_key().await.unwrap();
        other.app.pull_revocations().await.unwrap();
        one.clock.advance(LEAD);
        one.database.execute("UPDATE signing_keys SET state_since = 0 WHERE state = 'next'").await;
        one.app.rotate_keys().await.unwrap();
    }
}

/// Refreshes and is asked about by all, over and over; `rounds` counts.
async fn work(everybody: Arc<Everybody>, worker: usize, stop: Arc<AtomicBool>, rounds: Arc<AtomicUsize>) -> usize {
    let email = format!("user{worker}@example.com");
    let mut tokens = everybody.nodes[0].signed_in(&email).await.tokens.unwrap();
    let mut asked = 0;
    while !stop.load(Ordering::SeqCst) {
        let refusals = everybody.refusing(&tokens.access_token).await;
        assert_eq!(refusals, Vec::<String>::new(), "falsely refused, after {asked} questions");
        asked += 6;
        let (mut client, _) = everybody.clients[asked / 6 % 2].clone();
        tokens = refresh(&mut client, &tokens.refresh_token).await.unwrap();
        rounds.fetch_add(1, Ordering::SeqCst);
    }
    asked
}

async fn rotate_under_load(rotations: usize, every: Duration) {
    let everybody = Everybody::start().await;
    let (stop, mut workers, mut rounds) = (Arc::new(AtomicBool::new(false)), JoinSet::new(), Vec::new());
    for worker in 0..WORKERS {
        let counter = Arc::new(AtomicUsize::new(0));
        workers.spawn(work(Arc::clone(&everybody), worker, Arc::clone(&stop), Arc::clone(&counter)));
        rounds.push(counter);
    }
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..rotations {
        ticks.tick().await;
        // Each has a token of the present hour: one that is older would rightly be refused.
        for counter in &rounds {
            let before = counter.load(Ordering::SeqCst);
            in_time(async {
                while counter.load(Ordering::SeqCst) < before + 2 {
                    assert!(workers.try_join_next().is_none(), "nobody has ended");
                    tokio::task::yield_now().await;
                }
            })
            .await;
        }
        everybody.rotate().await;
    }
    stop.store(true, Ordering::SeqCst);
    let asked: usize = workers.join_all().await.into_iter().sum();
    let keys = everybody.nodes[0].app.signing_keys();
    assert_eq!(keys.len(), rotations + 1, "{rotations} rotations");
    say(format_args!("{rotations} rotations, {asked} questions to two nodes and two verifiers: 0 false refusals"));
}

/// Revokes the key that signs, so many times, and measures until everybody refuses what it signed. The loner is not asked: it
/// believes in a key until it asks for them again, and says so.
async fn revoke_keys(times: usize) -> Vec<Duration> {
    let everybody = Everybody::start().await;
    let [one, other] = &everybody.nodes;
    let mut tokens = one.signed_in("ada@example.com").await.tokens.unwrap();
    let mut took = Vec::new();
    for round in 0..times {
        let token = &tokens.access_token;
        in_time(async { while !everybody.refusing(token).await.is_empty() {} }).await;
        // On either node, in turns.
        let node = if round % 2 == 0 { one } else { other };
        let active = node.app.signing_keys().iter().find(|key| key.state == KeyState::Active).unwrap().id.clone();
        assert_eq!(node.app.revoke_key(&active).await.unwrap(), KeyRevocation::Done);
        let acknowledged = Instant::now();
        let refused = async {
            loop {
                let refusing = everybody.refusing(token).await;
                if refusing.iter().filter(|who| !who.starts_with("the loner")).count() == 5 {
                    break;
                }
            }
        };
        in_time(refused).await;
        took.push(acknowledged.elapsed());
        tokens = refresh(&mut everybody.clients[round % 2].0.clone(), &tokens.refresh_token).await.unwrap();
        // The loner, too, may ask again after a while.
        one.clock.advance(Duration::from_secs(11));
    }
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_refused_while_keys_change_quickly() {
    Box::pin(rotate_under_load(3, Duration::from_millis(1))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_soon_refused_by_everybody_who_listens() {
    Box::pin(revoke_keys(2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a minute and more: make rotation-campaign"]
async fn campaign() {
    Box::pin(rotate_under_load(60, Duration::from_secs(1))).await;
    let mut took = Box::pin(revoke_keys(100)).await;
    took.sort();
    let (median, most) = (took[took.len() / 2], took[took.len() - 1]);
    say(format_args!("{} revoked keys, refused everywhere after: p50 {median:.1?}, most {most:.1?}", took.len()));
    assert!(most < BOUND, "missed");
}
