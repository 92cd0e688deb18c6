//! The keys are asked for seldom, whoever wants it otherwise, and kept through an outage, but not for ever.

use std::time::Duration;

use axum::http::StatusCode;
use countersign_client::{Refusal, Verifier};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{
    FakeClock, Forge, ISSUER, KeyServer, Service,
    forge::{good, key_set, with},
    in_time,
};

const SECOND: Duration = Duration::from_secs(1);

/// A server with one key, a verifier that has asked for nothing yet, and a token that outlives every test.
struct Scene {
    forge: Forge,
    clock: FakeClock,
    server: KeyServer,
    verifier: Verifier,
    token: String,
}

async fn scene() -> Scene {
    let (forge, clock) = (Forge::default(), FakeClock::default());
    let server = KeyServer::start(key_set(&[forge.entry()])).await;
    let verifier = Verifier::builder(ISSUER).keys_url(&server.url).clock(clock.reader()).build().unwrap();
    let token = long_lived(&forge);
    Scene { forge, clock, server, verifier, token }
}

fn long_lived(forge: &Forge) -> String {
    forge.sign(&with(&good(), "exp", json!("2028-01-01T00:00:00Z")))
}

#[tokio::test]
async fn a_hundred_first_requests_ask_once() {
    let Scene { server, verifier, token, .. } = scene().await;
    assert_eq!(server.count(), 0, "nothing is asked before it is needed");
    server.hold();
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let (verifier, token) = (verifier.clone(), token.clone());
        requests.spawn(async move { verifier.verify(&token).await });
    }
    server.asked(1).await;
    server.release();
    for answer in in_time(requests.join_all()).await {
        assert!(answer.is_ok());
    }
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_asks_once_in_ten_seconds() {
    let Scene { clock, server, verifier, token, .. } = scene().await;
    assert!(verifier.verify(&token).await.is_ok());
    for asked in 1..=3 {
        for _ in 0..50 {
            let stranger = long_lived(&Forge::default());
            assert_eq!(verifier.verify(&stranger).await, Err(Refusal::Invalid));
            assert!(verifier.verify(&token).await.is_ok());
        }
        assert_eq!(server.count(), asked);
        clock.advance(9 * SECOND);
        assert_eq!(verifier.verify(&long_lived(&Forge::default())).await, Err(Refusal::Invalid));
        assert_eq!(server.count(), asked, "not before the tenth second");
        clock.advance(SECOND);
    }
    // What is not even written like a key's id is nothing to ask for.
    let other = Forge::default();
    for kid in ["", "k4.pid.", "k4.lid.8yowLZy-0SvJIzICWZZ7Vg-_Edn9wKS8Xdgk-1LN5DpU"] {
        let token = other.sign_with(&good(), &format!(r#"{{"kid":"{kid}"}}"#), None);
        assert_eq!(verifier.verify(&token).await, Err(Refusal::Invalid));
    }
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn a_key_that_was_just_published_is_found() {
    let Scene { forge, clock, server, verifier, token } = scene().await;
    assert!(verifier.verify(&token).await.is_ok());
    let next = Forge::default();
    server.publish(key_set(&[forge.entry(), next.entry()]));
    clock.advance(10 * SECOND);
    assert!(verifier.verify(&long_lived(&next)).await.is_ok());
    assert!(verifier.verify(&token).await.is_ok());
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn keys_that_age_are_asked_for_beside_the_request() {
    let Scene { clock, server, verifier, token, .. } = scene().await;
    assert!(verifier.verify(&token).await.is_ok());
    clock.advance(Duration::from_secs(239));
    assert!(verifier.verify(&token).await.is_ok());
    assert_eq!(server.count(), 1);
    clock.advance(SECOND);
    server.hold();
    assert!(in_time(verifier.verify(&token)).await.is_ok(), "nobody waits for it");
    server.asked(2).await;
    clock.advance(60 * SECOND);
    let waiting = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { verifier.verify(&token).await }
    });
    server.release();
    assert!(in_time(waiting).await.unwrap().is_ok());
    assert_eq!(server.answered(), [200, 304], "they had not changed");
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_key_that_was_revoked_is_gone_within_five_minutes() {
    let Scene { clock, server, verifier, token, .. } = scene().await;
    assert!(verifier.verify(&token).await.is_ok());
    let next = Forge::default();
    server.publish(key_set(&[next.entry()]));
    clock.advance(Duration::from_mins(5));
    assert_eq!(verifier.verify(&token).await, Err(Refusal::Invalid), "although the token is remembered");
    assert!(verifier.verify(&long_lived(&next)).await.is_ok());
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_key_ends_when_it_was_said_to() {
    let (forge, clock) = (Forge::default(), FakeClock::default());
    let mut entry = forge.entry();
    entry["not_after"] = json!("2027-01-15T08:00:10Z");
    let verifier = forge.builder(&clock).fixed_keys(key_set(&[entry])).build().unwrap();
    clock.advance(Duration::from_millis(9_999));
    assert!(verifier.verify(&long_lived(&forge)).await.is_ok());
    clock.advance(Duration::from_millis(1));
    assert_eq!(verifier.verify(&long_lived(&forge)).await, Err(Refusal::Invalid));
}

#[tokio::test]
async fn keys_are_kept_through_an_outage_and_not_for_ever() {
    let Scene { clock, server, verifier, token, .. } = scene().await;
    assert!(verifier.verify(&token).await.is_ok());
    server.answer(StatusCode::INTERNAL_SERVER_ERROR);
    clock.advance(Duration::from_mins(5));
    assert!(verifier.verify(&token).await.is_ok(), "it was asked, and what is known goes on");
    assert_eq!(server.answered(), [200, 500]);
    // While it is known to be away, nobody waits.
    server.hold();
    clock.advance(10 * SECOND);
    assert!(in_time(verifier.verify(&token)).await.is_ok());
    server.asked(3).await;
    server.release();
    in_time(async {
        while server.answered().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // A key that is unknown may be a new one: that is no reason to sign anybody out.
    clock.advance(10 * SECOND);
    assert_eq!(verifier.verify(&long_lived(&Forge::default())).await, Err(Refusal::KeysUnavailable));
    clock.advance(Duration::from_mins(54));
    assert!(verifier.verify(&token).await.is_ok());
    clock.advance(Duration::from_mins(1));
    assert_eq!(verifier.verify(&token).await, Err(Refusal::KeysUnavailable), "an hour is all");
    server.answer(StatusCode::OK);
    clock.advance(10 * SECOND);
    assert!(verifier.verify(&token).await.is_ok());
    assert_eq!(verifier.verify(&long_lived(&Forge::default())).await, Err(Refusal::Invalid));
}

#[tokio::test]
async fn how_long_keys_are_kept_is_a_setting() {
    let Scene { clock, server, token, .. } = scene().await;
    let builder = Verifier::builder(ISSUER).keys_url(&server.url).clock(clock.reader());
    let verifier = builder.keep_keys(Duration::from_mins(7)).build().unwrap();
    assert!(verifier.verify(&token).await.is_ok());
    server.stop().await;
    clock.advance(Duration::from_secs(419));
    assert!(verifier.verify(&token).await.is_ok());
    clock.advance(SECOND);
    assert_eq!(verifier.verify(&token).await, Err(Refusal::KeysUnavailable));
}

#[tokio::test]
async fn without_any_keys_it_is_asked_every_second() {
    let Scene { clock, server, verifier, token, .. } = scene().await;
    server.answer(StatusCode::SERVICE_UNAVAILABLE);
    for _ in 0..10 {
        assert_eq!(verifier.verify(&token).await, Err(Refusal::KeysUnavailable));
    }
    assert_eq!(server.count(), 1);
    server.answer(StatusCode::OK);
    clock.advance(SECOND);
    assert!(verifier.verify(&token).await.is_ok());
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_request_that_goes_away_takes_no_answer_with_it() {
    let Scene { server, verifier, token, .. } = scene().await;
    server.hold();
    let gone = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { verifier.verify(&token).await }
    });
    server.asked(1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    server.release();
    assert!(in_time(verifier.verify(&token)).await.is_ok());
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn what_is_no_key_set_of_the_issuer_changes_nothing() {
    let Scene { forge, clock, server, verifier, token } = scene().await;
    assert!(verifier.verify(&token).await.is_ok());
    let stranger = Forge::default();
    let strangers = key_set(&[stranger.entry()]);
    let too_long = key_set(&vec![stranger.entry(); 1_000]);
    let mismatched = key_set(&[json!({ "kid": stranger.kid, "key": forge.public, "not_after": null })]);
    for body in [
        String::new(),
        "{}".to_owned(),
        "<html>".to_owned(),
        key_set(&[]),
        strangers.replace(ISSUER, "https://auth.example.org"),
        too_long,
        mismatched,
    ] {
        server.publish(body.clone());
        clock.advance(10 * SECOND);
        assert_eq!(verifier.verify(&long_lived(&stranger)).await, Err(Refusal::KeysUnavailable), "{body:.100}");
        assert!(verifier.verify(&token).await.is_ok());
    }
    for status in [StatusCode::FOUND, StatusCode::NOT_FOUND, StatusCode::CREATED] {
        server.publish(strangers.clone());
        server.answer(status);
        clock.advance(10 * SECOND);
        assert_eq!(verifier.verify(&long_lived(&stranger)).await, Err(Refusal::KeysUnavailable), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_died_and_came_back_has_the_same_keys() {
    let mut service = Service::start(&[]).await;
    let verifier = Verifier::builder(ISSUER).keys_url(service.keys_url()).build().unwrap();
    let tokens = [service.login().await.access_token, service.login().await.access_token];
    assert!(verifier.verify(&tokens[0]).await.is_ok());
    service.kill().await;
    for token in &tokens {
        assert!(verifier.verify(token).await.is_ok(), "it verifies offline");
    }
    let late = Verifier::builder(ISSUER).keys_url(service.keys_url()).build().unwrap();
    assert_eq!(late.verify(&tokens[0]).await, Err(Refusal::KeysUnavailable));
    service.restart().await;
    assert!(verifier.verify(&service.login().await.access_token).await.is_ok());
}
