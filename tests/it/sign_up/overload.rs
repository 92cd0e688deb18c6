//! More passwords than can be hashed: some are refused at once, and nobody else waits for it.

use std::time::Duration;

use prost::Message;
use tonic::Status;
use tonic_types::StatusExt as _;

use countersign::proto::WhoAmIRequest;

use crate::support::{
    Engine, TestApp,
    grpc::{login_request, sign_up_request, summary, with_bearer},
    http::{Reply, frame},
    wire::Wire,
};

/// How often a hash may have ended before the next call came by.
const TRIES: usize = 100;

/// What a call is told that comes while the one thread hashes for somebody else.
async fn meanwhile(app: &TestApp, wire: Wire, method: &str, message: &impl Message) -> Reply {
    for _ in 0..TRIES {
        let mut client = app.client().await;
        let occupant = tokio::spawn(async move { client.login(login_request("nobody@example.com")).await });
        while app.passwords.is_idle() && !occupant.is_finished() {
            tokio::task::yield_now().await;
        }
        let has_begun = !app.passwords.is_idle();
        let reply = wire.call(app, method, &frame(message), &[]).await;
        let told = occupant.await.unwrap().unwrap_err();
        if !has_begun {
            // On a busy machine the thread may not even wake in time.
            continue;
        }
        assert_eq!(summary(&told), "Unauthenticated BAD_CREDENTIALS", "who was first is served");
        while !app.passwords.is_idle() {
            tokio::task::yield_now().await;
        }
        if !["Ok", "Unauthenticated BAD_CREDENTIALS"].contains(&reply.outcome().as_str()) {
            return reply;
        }
    }
    panic!("nobody was ever refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_finds_no_thread_is_refused_and_told_when_to_come_back() {
    for (queue, max_wait) in [(0, Duration::from_secs(7)), (1, Duration::from_millis(20))] {
        let app = TestApp::spawn(Engine::Sqlite).await;
        app.signed_in("ada@example.com").await;
        let slow = app.restart_with(|setup| {
            setup.hashing.memory_kib = 64 * 1_024;
            setup.hashing.iterations = 4;
            setup.hashing.threads = 1;
            setup.hashing.queue = queue;
            setup.hashing.max_wait = max_wait;
        });
        let app = slow.await;
        for wire in Wire::ALL {
            let replies = [
                meanwhile(&app, wire, "Login", &login_request("ada@example.com")).await,
                meanwhile(&app, wire, "Login", &login_request("nobody@example.com")).await,
                meanwhile(&app, wire, "SignUp", &sign_up_request("eve@example.com")).await,
                meanwhile(&app, wire, "SignUp", &sign_up_request("ada@example.com")).await,
            ];
            for reply in &replies {
                let refusal = Status::from_header_map(&reply.headers).unwrap();
                assert_eq!(summary(&refusal), "ResourceExhausted OVERLOADED", "{wire:?}");
                let retry = refusal.get_error_details().retry_info().unwrap().retry_delay;
                assert_eq!(retry, Some(max_wait), "{wire:?}");
                assert_eq!(reply.as_told(), replies[0].as_told(), "{wire:?}: no account is told from none");
            }
        }
        assert!(app.client().await.login(login_request("ada@example.com")).await.is_ok(), "then it is over");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_no_hash_is_answered_while_others_wait_for_theirs() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let ada = app.signed_in("ada@example.com").await.tokens.unwrap();
    let slow = app.restart_with(|setup| {
        setup.hashing.memory_kib = 64 * 1_024;
        setup.hashing.iterations = 4;
        setup.hashing.threads = 1;
    });
    let app = slow.await;
    let mut client = app.client().await;
    for _ in 0..TRIES {
        let mut other = client.clone();
        let occupant = tokio::spawn(async move { other.login(login_request("nobody@example.com")).await });
        app.until_hashing().await;
        let answer = client.who_am_i(with_bearer(WhoAmIRequest {}, &ada.access_token)).await.unwrap();
        assert_eq!(answer.into_inner().user.unwrap().email, "ada@example.com");
        let came_first = !app.passwords.is_idle();
        occupant.await.unwrap().unwrap_err();
        if came_first {
            return;
        }
    }
    panic!("every answer waited for the hash");
}
