//! Sign-ins beside the fastest engine at hand, and what they leave to everybody else.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use argon2_rust::{Algorithm, Argon2, Params, Version};
use countersign::proto::{WhoAmIRequest, auth_service_client::AuthServiceClient};
use tonic::transport::Channel;

use super::{
    fixture::{login_from, sign_up, with_bearer},
    load::{by_the_clock, while_going},
    process::{Running, cpu_of},
    table,
};

/// Who do nothing but sign in.
const CLIENTS: usize = 64;
const TIME: Duration = Duration::from_secs(8);
/// WhoAmI's clock.
const PAUSE: Duration = Duration::from_millis(10);
/// As many hashes at a time, there and here: one processor is left to who makes the calls.
const THREADS: usize = 1;
/// What a thread needs for one (`passwords.memory_kib`).
const ARENA_MIB: f64 = 19.0;

/// Measures, and prints.
pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        ("PASSWORDS__THREADS", THREADS.to_string()),
        ("PASSWORDS__QUEUE", "128".to_owned()),
        ("PASSWORDS__MAX_WAIT", "60s".to_owned()),
        ("SERVER__REQUEST_TIMEOUT", "60s".to_owned()),
    ];
    let service = Running::service(folder.path(), &settings);
    let idle = service.memory("VmRSS");
    let channel = Channel::from_shared(service.url()).unwrap().connect().await.unwrap();
    let (mut token, mut devices) = (String::new(), Vec::new());
    for number in 0..CLIENTS {
        sign_up(channel.clone(), &address(number)).await;
        let tokens = login_from(channel.clone(), &address(number), None).await.tokens.unwrap();
        token = tokens.access_token;
        devices.push(Mutex::new(tokens.device_token));
    }
    let devices: Arc<[_]> = devices.into();

    let alone = hash_alone();
    let going = Arc::new(AtomicBool::new(true));
    let signing_in = while_going(&service, CLIENTS, &going, {
        let channel = channel.clone();
        move |number| {
            let (channel, devices) = (channel.clone(), Arc::clone(&devices));
            async move {
                let known = devices[number].lock().unwrap().take();
                let tokens = login_from(channel, &address(number), known).await.tokens.unwrap();
                *devices[number].lock().unwrap() = tokens.device_token;
            }
        }
    });
    service.forget_peak();
    let asking = async {
        // On a connection of its own, as somebody else's would be.
        let channel = Channel::from_shared(service.url()).unwrap().connect().await.unwrap();
        let asked = by_the_clock(&service, PAUSE, TIME, move |_| {
            let mut client = AuthServiceClient::new(channel.clone());
            let request = with_bearer(WhoAmIRequest {}, &token);
            async move { drop(client.who_am_i(request).await.unwrap()) }
        });
        let asked = asked.await;
        going.store(false, Ordering::Relaxed);
        asked
    };
    let (mut signed_in, asked) = tokio::join!(signing_in, asking);
    let peak = service.memory("VmHWM");
    // What WhoAmI had is so little that it is left in.
    table::calls_head();
    table::calls("Argon2id alone, argon2-rust, as many threads", &alone);
    table::calls("Login, 64 at once", &signed_in);
    table::calls("WhoAmI 100 times a second meanwhile, from when it was due", &asked);
    table::limits_head();
    let rest = (signed_in.cpu_per_call() - alone.cpu_per_call()) / 1_000.0;
    signed_in.wall = TIME.max(signed_in.wall);
    table::limit("hashes/s alone / sign-ins/s", alone.rate() / signed_in.rate(), 1.0 / 0.95, "");
    table::limit("server CPU of a sign-in beside its hash", rest, 0.5, " ms");
    table::limit("WhoAmI's p99 while 64 sign in", asked.percentile(99), 20.0, " ms");
    #[expect(clippy::cast_precision_loss, reason = "there are few threads")]
    let most = idle + THREADS as f64 * ARENA_MIB + 64.0;
    table::limit("peak RSS meanwhile", peak, most.round(), " MiB");
}

fn address(number: usize) -> String {
    format!("u{number}@example.com")
}

/// The engine on as many threads, with its arena kept: what no sign-in can do without.
fn hash_alone() -> super::load::Outcome {
    let cpu = cpu_of("self");
    let started = Instant::now();
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            thread::spawn(move || {
                let mut hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default()).hasher();
                let mut latencies = Vec::new();
                while started.elapsed() < TIME {
                    let called = Instant::now();
                    hasher.hash_into(b"correct horse battery staple", b"0123456789abcdef", &mut [0; 32]).unwrap();
                    latencies.push(called.elapsed());
                }
                latencies
            })
        })
        .collect();
    let latencies = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    super::load::Outcome { latencies, cpu: cpu_of("self") - cpu, wall: started.elapsed() }
}
