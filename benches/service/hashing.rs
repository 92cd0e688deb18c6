//! Sign-ins beside the fastest engine at hand, and what they leave to everybody else.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use argon2_rust::{Algorithm, Params, Version};
use countersign::proto::{WhoAmIRequest, auth_service_client::AuthServiceClient};
use tonic::transport::Channel;

use super::{
    fixture::{Fixture, PASSWORD, login, login_from, sign_up, with_bearer},
    load::{Call, Outcome, by_the_clock, while_going},
    peers::ECHO,
    process::{Running, cpu_of_this_thread},
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
/// The clock of calls to bare tonic: about as rare as the sign-ins that one thread lets through.
const RARE: Duration = Duration::from_micros(7_500);
/// Of 4 KiB: as many as SQLite's log gets for a sign-in.
const PAGES: usize = 13;
/// As many hashes at a time, there and here: one processor is left to who makes the calls.
const THREADS: usize = 1;
/// Of a hash that nobody keeps.
const SALT: &[u8] = b"0123456789abcdef";
/// A hash that fits into any cache, to see what one that does not costs all else.
const SMALL_KIB: u32 = 64;
/// What their names begin with.
const HASHES: &str = "hash-";
/// What a thread needs for one (`passwords.memory_kib`).
const ARENA_MIB: f64 = 19.0;

/// What a run of sign-ins came to.
struct Run {
    /// While nobody does anything else.
    signed_in: Outcome,
    /// The engine in between.
    engine: Outcome,
    /// WhoAmI meanwhile.
    asked: Outcome,
    /// What a sign-in asks of the database, by itself.
    statements: Outcome,
    /// Of the server's time for `signed_in`, that of the threads that hash.
    hashing: Duration,
    /// In MiB.
    peak: f64,
    idle: f64,
}

/// Measures, and prints. PostgreSQL is left out where there is none.
pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let another = alone(ALONE, rust_crypto);
    let rare = rare_calls(folder.path()).await;
    let written = rare_writes(&folder.path().join("written")).await;
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
    let name = format!("{PAGES} pages written and flushed to a disk, as seldom and beside a hash");
    table::calls(&name, &written);
    for (name, run) in &runs {
        table::calls(&format!("Argon2id alone, argon2-rust, as many threads, in between: {name}"), &run.engine);
        table::calls(&format!("A sign-in's statements alone, one after the other, {name}"), &run.statements);
        table::calls(&format!("Login, 64 at once, {name}"), &run.signed_in);
        table::calls(&format!("WhoAmI 100 times a second meanwhile, from when it was due, {name}"), &run.asked);
    }
    table::limits_head();
    for (name, run) in &runs {
        let rates = run.engine.rate() / run.signed_in.rate();
        table::limit(&format!("hashes/s alone / sign-ins/s, {name}"), rates, 1.0 / 0.95, "");
        table::figure(
            &format!("a sign-in's hash / one alone, {name}"),
            run.hash() * 1e3 / run.engine.cpu_per_call(),
            "",
        );
        table::limit(&format!("server CPU of a sign-in beside its hash, {name}"), run.rest(), 0.5, " ms");
        table::limit(&format!("WhoAmI's p99 while 64 sign in, {name}"), run.asked.percentile(99), 20.0, " ms");
        #[expect(clippy::cast_precision_loss, reason = "there are few threads")]
        let most = run.idle + THREADS as f64 * ARENA_MIB + 64.0;
        table::limit(&format!("peak RSS meanwhile, {name}"), run.peak, most.round(), " MiB");
    }
    let name = format!("the same, were a hash to leave the caches alone ({SMALL_KIB} KiB), SQLite");
    table::figure(&name, cached.rest(), " ms");
}

impl Run {
    /// What the hash took of a sign-in, in ms.
    fn hash(&self) -> f64 {
        self.hashing.as_secs_f64() * 1e3 / self.signed_in.calls()
    }

    /// And what all else did.
    fn rest(&self) -> f64 {
        self.signed_in.cpu_per_call() / 1e3 - self.hash()
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
    ];
    settings.extend_from_slice(more);
    let service = Running::service(folder, &settings);
    let idle = service.memory("VmRSS");
    let channel = Channel::from_shared(service.url()).unwrap().connect().await.unwrap();
    // Whoever signs in without end has no session that stays.
    sign_up(channel.clone(), "asks@example.com").await;
    let token = login(channel.clone(), "asks@example.com").await.tokens.unwrap().access_token;
    let mut devices = Vec::new();
    for number in 0..CLIENTS {
        sign_up(channel.clone(), &address(number)).await;
        let tokens = login_from(channel.clone(), &address(number), None).await.tokens.unwrap();
        devices.push(Mutex::new(tokens.device_token));
    }
    let devices: Arc<[_]> = devices.into();

    let sign_in = move |number: usize| {
        let (channel, devices) = (channel.clone(), Arc::clone(&devices));
        async move {
            let known = devices[number].lock().unwrap().take();
            let tokens = login_from(channel, &address(number), known).await.tokens.unwrap();
            *devices[number].lock().unwrap() = tokens.device_token;
        }
    };
    service.forget_peak();
    let going = Arc::new(AtomicBool::new(true));
    let hashed_before = service.cpu_of_threads(HASHES);
    let (signed_in, engine) = by_turns(&service, &going, sign_in.clone()).await;
    let hashing = service.cpu_of_threads(HASHES) - hashed_before;

    going.store(true, Ordering::Relaxed);
    let asking = async {
        // On a connection of its own, as somebody else's would be.
        let channel = Channel::from_shared(service.url()).unwrap().connect().await.unwrap();
        let asked = by_the_clock(&service, CLOCK, TIME, move |_| {
            let mut client = AuthServiceClient::new(channel.clone());
            let request = with_bearer(WhoAmIRequest {}, &token);
            async move { drop(client.who_am_i(request).await.unwrap()) }
        });
        let asked = asked.await;
        going.store(false, Ordering::Relaxed);
        asked
    };
    let (_, asked) = tokio::join!(while_going(&service, CLIENTS, &going, sign_in), asking);
    let peak = service.memory("VmHWM");
    let statements = statements_alone(url).await;
    Run { signed_in, engine, asked, statements, hashing, peak, idle }
}

/// Sign-ins, and the engine alone in between.
async fn by_turns<F>(service: &Running, going: &Arc<AtomicBool>, sign_in: impl Call<F>) -> (Outcome, Outcome)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (mut signed_in, mut engine) = (Outcome::default(), Outcome::default());
    for _ in 0..TURNS {
        engine.add(alone(PAUSE, argon2_rust));
        going.store(true, Ordering::Relaxed);
        let ending = async {
            tokio::time::sleep_until(tokio::time::Instant::now() + TURN).await;
            going.store(false, Ordering::Relaxed);
        };
        let (turn, ()) = tokio::join!(while_going(service, CLIENTS, going, sign_in.clone()), ending);
        signed_in.add(turn);
    }
    engine.add(alone(PAUSE, argon2_rust));
    (signed_in, engine)
}

fn address(number: usize) -> String {
    format!("u{number}@example.com")
}

/// What a call costs that comes alone, when nobody waits for it and what it needs is in no cache.
async fn rare_calls(folder: &Path) -> Outcome {
    let folder = folder.join("rare");
    std::fs::create_dir(&folder).unwrap();
    let service = Running::service(&folder, &[]);
    let answers = folder.join("answers");
    Fixture::create(&service, &folder, 1).await.answers(&service, &answers).await;
    drop(service);
    let peer = Running::peer(ECHO, &answers);
    let channel = Channel::from_shared(peer.url()).unwrap().connect().await.unwrap();
    let hashing = tokio::task::spawn_blocking(|| alone(ALONE, argon2_rust));
    let called = by_the_clock(&peer, RARE, ALONE, move |_| {
        let mut client = AuthServiceClient::new(channel.clone());
        async move { drop(client.who_am_i(WhoAmIRequest {}).await.unwrap()) }
    });
    let called = called.await;
    hashing.await.unwrap();
    called
}

/// What it costs to have on the disk, by as many calls of the kernel as SQLite's, what that writes for a sign-in.
async fn rare_writes(path: &Path) -> Outcome {
    let mut log = File::create(path).unwrap();
    let hashing = tokio::task::spawn_blocking(|| alone(ALONE, argon2_rust));
    let writing = tokio::task::spawn_blocking(move || {
        let (started, before) = (Instant::now(), cpu_of_this_thread());
        let mut latencies = Vec::new();
        while started.elapsed() < ALONE {
            thread::sleep(RARE);
            let began = Instant::now();
            for _ in 0..PAGES {
                log.write_all(&[1; 24]).unwrap();
                log.write_all(&[1; 4_096]).unwrap();
            }
            log.sync_all().unwrap();
            latencies.push(began.elapsed());
        }
        Outcome { latencies, cpu: cpu_of_this_thread() - before, wall: started.elapsed() }
    });
    let written = writing.await.unwrap();
    hashing.await.unwrap();
    written
}

/// An engine on as many threads, with its memory kept from hash to hash: what no sign-in can do without.
fn alone<H: FnMut()>(time: Duration, engine: impl Fn() -> H + Copy + Send + 'static) -> Outcome {
    let started = Instant::now();
    let hashing = move || {
        let mut hash = engine();
        let mut latencies = Vec::new();
        while started.elapsed() < time {
            let called = Instant::now();
            hash();
            latencies.push(called.elapsed());
        }
        (latencies, cpu_of_this_thread())
    };
    let threads: Vec<_> = (0..THREADS).map(|_| thread::spawn(hashing)).collect();
    let mut alone = Outcome { wall: time, ..Outcome::default() };
    for thread in threads {
        let (latencies, cpu) = thread.join().unwrap();
        alone.latencies.extend(latencies);
        alone.cpu += cpu;
    }
    alone
}

/// The service's own.
fn argon2_rust() -> impl FnMut() {
    let mut hasher = argon2_rust::Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default()).hasher();
    move || hasher.hash_into(PASSWORD.as_bytes(), SALT, &mut [0; 32]).unwrap()
}

/// Its oracle, with the same parameters.
fn rust_crypto() -> impl FnMut() {
    let engine = argon2::Argon2::default();
    let mut memory = vec![argon2::Block::default(); engine.params().block_count()];
    move || engine.hash_password_into_with_memory(PASSWORD.as_bytes(), SALT, &mut [0; 32], &mut memory).unwrap()
}
