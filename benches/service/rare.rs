//! What comes about as rarely as the sign-ins that one thread lets through, while that thread hashes: nothing that it needs is in a
//! cache.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use countersign::proto::{WhoAmIRequest, auth_service_client::AuthServiceClient};
use tonic::transport::Channel;

use super::{
    bare_sign_in::Statements,
    engines::{alone, argon2_rust},
    fixture::Fixture,
    load::{Outcome, by_the_clock, timed},
    peers::ECHO,
    process::{Running, cpu_of, cpu_of_this_thread},
};

/// From one to the next.
const RARE: Duration = Duration::from_micros(7_500);
/// For so long.
const TIME: Duration = Duration::from_secs(4);
/// Of 4 KiB: as many as SQLite's log gets for a sign-in.
pub const PAGES: usize = 13;

/// What a call costs that comes alone, when nobody waits for it and what it needs is in no cache.
pub async fn calls(folder: &Path) -> Outcome {
    let folder = folder.join("rare");
    std::fs::create_dir(&folder).unwrap();
    let service = Running::service(&folder, &[]);
    let answers = folder.join("answers");
    Fixture::create(&service, &folder, 1).await.answers(&service, &answers).await;
    drop(service);
    let peer = Running::peer(ECHO, &answers);
    let channel = Channel::from_shared(peer.url()).unwrap().connect().await.unwrap();
    let hashing = tokio::task::spawn_blocking(|| alone(TIME, argon2_rust));
    let called = by_the_clock(&peer, RARE, TIME, move |_| {
        let mut client = AuthServiceClient::new(channel.clone());
        async move { drop(client.who_am_i(WhoAmIRequest {}).await.unwrap()) }
    });
    let called = called.await;
    hashing.await.unwrap();
    called
}

/// What a sign-in's statements cost who asks them.
pub async fn statements(url: &str) -> Outcome {
    let statements = Statements::open(url).await;
    let addresses = statements.addresses();
    // That of the thread that hashes is not among it: it has ended by then.
    let (started, before) = (Instant::now(), cpu_of("self"));
    let hashing = tokio::task::spawn_blocking(|| alone(TIME, argon2_rust));
    let (mut latencies, mut ticks) = (Vec::new(), tokio::time::interval(RARE));
    for email in addresses.iter().cycle() {
        if started.elapsed() >= TIME {
            break;
        }
        ticks.tick().await;
        let sign_in = async { statements.write(email, statements.ask(email).await).await };
        latencies.push(timed(sign_in).await);
    }
    hashing.await.unwrap();
    Outcome { latencies, cpu: cpu_of("self") - before, wall: started.elapsed() }
}

/// What it costs to have on the disk, by as many calls of the kernel as SQLite's, what that writes for a sign-in.
pub async fn writes(path: &Path) -> Outcome {
    let mut log = File::create(path).unwrap();
    let hashing = tokio::task::spawn_blocking(|| alone(TIME, argon2_rust));
    let writing = tokio::task::spawn_blocking(move || {
        let (started, before) = (Instant::now(), cpu_of_this_thread());
        let mut latencies = Vec::new();
        while started.elapsed() < TIME {
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
