//! Sign-ins beside the fastest engine at hand, and what they leave to everybody else.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use countersign::proto::{
    LoginResponse, SignedIn, WhoAmIRequest, auth_service_client::AuthServiceClient, login_response::Outcome as Step,
};
use prost::Message as _;
use tonic::transport::Channel;

use super::{
    engines::{THREADS, alone, argon2_rust, rust_crypto},
    fixture::{login, login_from, sign_up, with_bearer},
    load::{Outcome, by_the_clock, while_going},
    process::Running,
    rare,
    refresh::a_schema_of_its_own,
    sign_in::statements_alone,
    table,
};

/// Who do nothing but sign in.
const CLIENTS: usize = 64;
/// In so many turns, for so long in each.
const TURNS: usize = 6;
const TURN: Duration = Duration::from_secs(2);
/// An engine alone hashes for so long before each turn and after the last: what a processor does changes from second to second.
const PAUSE: Duration = Duration::from_secs(1);
/// WhoAmI is asked for so long,
const TIME: Duration = Duration::from_secs(8);
/// and all else that is measured once takes so long.
const ALONE: Duration = Duration::from_secs(4);
/// WhoAmI's clock.
const CLOCK: Duration = Duration::from_millis(10);
/// A hash that fits into any cache, to see what one that does not costs all else.
const SMALL_KIB: u32 = 64;
/// What their names begin with.
const HASHES: &str = "hash-";
/// What a thread needs for one (`passwords.memory_kib`).
const ARENA_MIB: f64 = 19.0;

/// What a run of sign-ins came to.
struct Run {
    /// While nobody does anything else.
    signed_in: SignIns,
    /// The engine in between.
    engine: Outcome,
    /// A server in between that does only what a sign-in cannot do without.
    bare: Option<SignIns>,
    /// WhoAmI meanwhile.
    asked: Outcome,
    /// What a sign-in asks of the database, by itself.
    statements: Outcome,
    /// The same as seldom as that, and beside a hash, in no more statements than it needs.
    rare: Outcome,
    /// In MiB.
    peak: f64,
    idle: f64,
}

/// Sign-ins, and of the server's time for them that of the thread that hashes.
#[derive(Default)]
struct SignIns {
    all: Outcome,
    hashing: Duration,
}

/// Who sign in, each from a device of their own.
#[derive(Clone)]
struct People {
    /// What their addresses begin with.
    name: &'static str,
    channel: Channel,
    devices: Arc<[Mutex<Option<String>>]>,
}

/// Measures, and prints. PostgreSQL is left out where there is none.
pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let another = alone(ALONE, rust_crypto);
    let rare = rare::calls(folder.path()).await;
    let written = rare::writes(&folder.path().join("written")).await;
    let mut engines = vec![("SQLite", None)];
    if let Ok(server) = std::env::var("COUNTERSIGN_TEST_POSTGRES") {
        engines.push(("PostgreSQL", Some(a_schema_of_its_own(server).await)));
    }
    let mut runs = Vec::new();
    for (name, url) in engines {
        let folder = folder.path().join(name);
        let url = url.unwrap_or_else(|| format!("sqlite:{}", folder.join("countersign.db").display()));
        runs.push((name, of(&folder, &url, &[]).await));
    }
    let small = [("PASSWORDS__MEMORY_KIB", SMALL_KIB.to_string())];
    let small_url = format!("sqlite:{}", folder.path().join("small.db").display());
    let cached = of(&folder.path().join("small"), &small_url, &small).await;
    table::calls_head();
    table::calls("Argon2id alone, RustCrypto's argon2, as many threads", &another);
    table::calls("Bare tonic, WhoAmI's messages, as seldom as a sign-in and beside a hash", &rare);
    let name = format!("{} pages written and flushed to a disk, as seldom and beside a hash", rare::PAGES);
    table::calls(&name, &written);
    for (name, run) in &runs {
        run.show(name);
    }
    table::limits_head();
    for (name, run) in &runs {
        let rates = run.engine.rate() / run.signed_in.all.rate();
        table::limit(&format!("hashes/s alone / sign-ins/s, {name}"), rates, 1.0 / 0.95, "");
        table::figure(
            &format!("a sign-in's hash / one alone, {name}"),
            run.signed_in.hash() * 1e3 / run.engine.cpu_per_call(),
            "",
        );
        table::limit(&format!("server CPU of a sign-in beside its hash, {name}"), run.signed_in.rest(), 0.5, " ms");
        if let Some(bare) = &run.bare {
            table::figure(
                &format!("server CPU of the least that signs in beside its hash, {name}"),
                bare.rest(),
                " ms",
            );
            let ratio = run.signed_in.rest() / bare.rest();
            table::figure(&format!("the one / the other, {name}"), ratio, "");
        }
        table::limit(&format!("WhoAmI's p99 while 64 sign in, {name}"), run.asked.percentile(99), 20.0, " ms");
        #[expect(clippy::cast_precision_loss, reason = "there are few threads")]
        let most = run.idle + THREADS as f64 * ARENA_MIB + 64.0;
        table::limit(&format!("peak RSS meanwhile, {name}"), run.peak, most.round(), " MiB");
    }
    let name = format!("the same, were a hash to leave the caches alone ({SMALL_KIB} KiB), SQLite");
    table::figure(&name, cached.signed_in.rest(), " ms");
}

impl Run {
    /// Its calls.
    fn show(&self, name: &str) {
        table::calls(&format!("Argon2id alone, argon2-rust, as many threads, in between: {name}"), &self.engine);
        table::calls(&format!("A sign-in's statements alone, one after the other, {name}"), &self.statements);
        let rare = format!("The least of them, as seldom as a sign-in and beside a hash, {name}");
        table::calls(&rare, &self.rare);
        if let Some(bare) = &self.bare {
            table::calls(&format!("The least that signs in, 64 at once, {name}"), &bare.all);
        }
        table::calls(&format!("Login, 64 at once, {name}"), &self.signed_in.all);
        table::calls(&format!("WhoAmI 100 times a second meanwhile, from when it was due, {name}"), &self.asked);
    }
}

impl SignIns {
    /// What the hash took of one, in ms.
    fn hash(&self) -> f64 {
        self.hashing.as_secs_f64() * 1e3 / self.all.calls()
    }

    /// And what all else did.
    fn rest(&self) -> f64 {
        self.all.cpu_per_call() / 1e3 - self.hash()
    }

    /// A turn more.
    async fn go_on(&mut self, server: &Running, people: &People) {
        let going = Arc::new(AtomicBool::new(true));
        let ending = async {
            tokio::time::sleep_until(tokio::time::Instant::now() + TURN).await;
            going.store(false, Ordering::Relaxed);
        };
        let hashing = server.cpu_of_threads(HASHES);
        let (turn, ()) = tokio::join!(people.sign_in_while(server, &going), ending);
        self.all.add(turn);
        self.hashing += server.cpu_of_threads(HASHES) - hashing;
    }
}

impl People {
    /// Makes them known.
    async fn sign_up(channel: &Channel, name: &'static str) -> Self {
        let mut devices = Vec::new();
        for number in 0..CLIENTS {
            let address = format!("{name}{number}@example.com");
            sign_up(channel.clone(), &address).await;
            let tokens = login_from(channel.clone(), &address, None).await.tokens.unwrap();
            devices.push(Mutex::new(tokens.device_token));
        }
        Self { name, channel: channel.clone(), devices: devices.into() }
    }

    async fn sign_in(self, number: usize) {
        let known = self.devices[number].lock().unwrap().take();
        let address = format!("{}{number}@example.com", self.name);
        let tokens = login_from(self.channel, &address, known).await.tokens.unwrap();
        *self.devices[number].lock().unwrap() = tokens.device_token;
    }

    async fn sign_in_while(&self, server: &Running, going: &Arc<AtomicBool>) -> Outcome {
        let people = self.clone();
        while_going(server, CLIENTS, going, move |number| people.clone().sign_in(number)).await
    }
}

async fn of(folder: &Path, url: &str, more: &[(&str, String)]) -> Run {
    std::fs::create_dir(folder).unwrap();
    let mut settings = vec![
        ("DATABASE__URL", url.to_owned()),
        ("PASSWORDS__THREADS", THREADS.to_string()),
        ("PASSWORDS__QUEUE", "128".to_owned()),
        ("PASSWORDS__MAX_WAIT", "60s".to_owned()),
        ("SERVER__REQUEST_TIMEOUT", "60s".to_owned()),
        // Whose sessions are at their limit is signed in step by step.
        ("SESSIONS__MAX_PER_USER", "10000".to_owned()),
    ];
    settings.extend_from_slice(more);
    let service = Running::service(folder, &settings);
    let idle = service.memory("VmRSS");
    let channel = Channel::from_shared(service.url()).unwrap().connect().await.unwrap();
    sign_up(channel.clone(), "asks@example.com").await;
    let asks = login(channel.clone(), "asks@example.com").await;
    let people = People::sign_up(&channel, "u").await;
    let bare = if more.is_empty() { Some(bare(folder, url, &channel, asks.clone()).await) } else { None };
    service.forget_peak();
    let (mut signed_in, mut signed_in_bare, mut engine) = <(SignIns, SignIns, Outcome)>::default();
    for _ in 0..TURNS {
        engine.add(alone(PAUSE, argon2_rust));
        signed_in.go_on(&service, &people).await;
        if let Some((server, people)) = &bare {
            engine.add(alone(PAUSE, argon2_rust));
            signed_in_bare.go_on(server, people).await;
        }
    }
    engine.add(alone(PAUSE, argon2_rust));
    let bare = bare.map(|_| signed_in_bare);
    let asked = while_they_sign_in(&service, &people, asks.tokens.unwrap().access_token).await;
    let peak = service.memory("VmHWM");
    let (statements, rare) = (statements_alone(url).await, rare::statements(url).await);
    Run { signed_in, engine, bare, asked, statements, rare, peak, idle }
}

/// A server that signs in with nothing but what that takes, on the same database, and people who do so.
async fn bare(folder: &Path, url: &str, service: &Channel, answer: SignedIn) -> (Running, People) {
    let mut people = People::sign_up(service, "bare").await;
    let file = folder.join("answer");
    std::fs::write(&file, LoginResponse { outcome: Some(Step::SignedIn(answer)) }.encode_to_vec()).unwrap();
    let server = Running::peer_that_signs_in(&file, url);
    people.channel = Channel::from_shared(server.url()).unwrap().connect().await.unwrap();
    (server, people)
}

/// `WhoAmI` by the clock.
async fn while_they_sign_in(service: &Running, people: &People, token: String) -> Outcome {
    let going = Arc::new(AtomicBool::new(true));
    let asking = async {
        // On a connection of its own, as somebody else's would be.
        let channel = Channel::from_shared(service.url()).unwrap().connect().await.unwrap();
        let asked = by_the_clock(service, CLOCK, TIME, move |_| {
            let mut client = AuthServiceClient::new(channel.clone());
            let request = with_bearer(WhoAmIRequest {}, &token);
            async move { drop(client.who_am_i(request).await.unwrap()) }
        });
        let asked = asked.await;
        going.store(false, Ordering::Relaxed);
        asked
    };
    tokio::join!(people.sign_in_while(service, &going), asking).1
}
