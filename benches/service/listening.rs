//! What it costs to end a session, and to tell those who listen.

use std::path::Path;

use countersign::proto::{
    LogoutRequest, WatchRevocationsRequest, auth_service_client::AuthServiceClient,
    token_service_client::TokenServiceClient, watch_revocations_response::Event,
};
use tokio::{sync::watch, task::JoinSet};
use tonic::transport::Channel;

use super::{
    fixture::{let_in, login, sign_up, with_bearer},
    load::{Outcome, all, timed},
    process::Running,
    refresh::a_schema_of_its_own,
    table,
};

/// Who signs in, and how often each.
const PEOPLE: usize = 20;
const SESSIONS: usize = 15;
/// Who listens, so many on each connection.
const CONNECTIONS: usize = 10;
const LISTENERS: usize = 20;

/// What all listeners together have heard.
#[derive(Clone, Copy, Default)]
struct Heard {
    messages: usize,
    /// How many of them know all that there was at first.
    complete: usize,
    revocations: usize,
}

/// Measures, and prints. PostgreSQL is left out where there is none.
pub async fn measure() {
    let mut rows = vec![("SQLite", of(None).await)];
    if let Ok(server) = std::env::var("COUNTERSIGN_TEST_POSTGRES") {
        rows.push(("PostgreSQL", of(Some(a_schema_of_its_own(server).await)).await));
    }
    table::calls_head();
    for (name, (alone, _)) in &rows {
        table::calls(&format!("Logout, {name}"), alone);
    }
    table::limits_head();
    for (name, (_, message)) in &rows {
        table::figure(&format!("server CPU of a message to a listener, {name}"), *message, " µs");
    }
}

/// Sessions that end while nobody listens, and what each message takes, in µs, where many do.
async fn of(url: Option<String>) -> (Outcome, f64) {
    let folder = tempfile::tempdir().unwrap();
    let settings: Vec<_> = url.map(|url| ("DATABASE__URL", url)).into_iter().collect();
    let service = Running::service(folder.path(), &settings);
    let channel = Channel::from_shared(service.url()).unwrap().connect().await.unwrap();
    for number in 0..PEOPLE {
        sign_up(channel.clone(), &address(number)).await;
    }
    // The first turn warms up.
    logouts(&service, &channel, None).await;
    let alone = logouts(&service, &channel, None).await;
    let (heard, _listeners) = listeners(folder.path(), &settings, &service).await;
    let before = heard.borrow().messages;
    let listened = logouts(&service, &channel, Some(heard.clone())).await;
    let messages = u32::try_from(heard.borrow().messages - before).unwrap();
    let telling = listened.cpu.saturating_sub(alone.cpu);
    (alone, telling.as_secs_f64() * 1e6 / f64::from(messages))
}

fn address(number: usize) -> String {
    format!("u{number}@example.com")
}

/// Signs everybody in, and out again one after the other; each waits until all have heard of the one before.
async fn logouts(service: &Running, channel: &Channel, heard: Option<watch::Receiver<Heard>>) -> Outcome {
    let mut tokens = Vec::new();
    for number in 0..PEOPLE * SESSIONS {
        let signed_in = login(channel.clone(), &address(number % PEOPLE)).await;
        tokens.push(signed_in.tokens.unwrap().access_token);
    }
    let mut client = AuthServiceClient::new(channel.clone());
    let leave = async move {
        let mut latencies = Vec::new();
        for token in tokens {
            let revocations = heard.as_ref().map(|heard| heard.borrow().revocations);
            let request = with_bearer(LogoutRequest::default(), &token);
            latencies.push(timed(async { drop(client.logout(request).await.unwrap()) }).await);
            if let (Some(mut heard), Some(before)) = (heard.clone(), revocations) {
                heard.wait_for(|heard| heard.revocations >= before + CONNECTIONS * LISTENERS).await.unwrap();
            }
        }
        latencies
    };
    all(|| service.cpu(), std::iter::once(leave)).await
}

/// Lets services listen, until they are dropped.
async fn listeners(
    folder: &Path,
    settings: &[(&str, String)],
    service: &Running,
) -> (watch::Receiver<Heard>, JoinSet<()>) {
    let key = let_in(folder, settings);
    let (tell, mut heard) = watch::channel(Heard::default());
    let mut listeners = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let channel = Channel::from_shared(service.url()).unwrap().connect().await.unwrap();
        for _ in 0..LISTENERS {
            listeners.spawn(listen(channel.clone(), key.clone(), tell.clone()));
        }
    }
    heard.wait_for(|heard| heard.complete == CONNECTIONS * LISTENERS).await.unwrap();
    (heard, listeners)
}

async fn listen(channel: Channel, key: String, heard: watch::Sender<Heard>) {
    let mut client = TokenServiceClient::new(channel);
    // It learns of the new key in a moment.
    let mut stream = loop {
        if let Ok(stream) = client.watch_revocations(with_bearer(WatchRevocationsRequest::default(), &key)).await {
            break stream.into_inner();
        }
    };
    let mut is_complete = false;
    while let Ok(Some(message)) = stream.message().await {
        heard.send_modify(|heard| {
            heard.messages += 1;
            match message.event {
                Some(Event::Revocations(batch)) if is_complete => heard.revocations += batch.revocations.len(),
                Some(Event::UpTo(_)) if !is_complete => {
                    is_complete = true;
                    heard.complete += 1;
                }
                _ => {}
            }
        });
    }
}
