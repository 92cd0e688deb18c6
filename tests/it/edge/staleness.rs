//! An edge that hears nothing: it knows how old its knowledge is, through however many hands it came, and does as it was told.

use std::time::Duration;

use countersign::proto::{ListPublicKeysRequest, WatchRevocationsRequest};
use tokio::time::{Instant, timeout_at};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use super::{ADA, Edge, Origin, channel, get, is_ready, until_ready};
use crate::{
    support::{
        Database,
        grpc::{login, with_bearer},
        on_both_engines,
        process::{Binary, Serving, in_time},
    },
    token_service::{ask, verify},
};

const BOUND: Duration = Duration::from_secs(1);
const UNAVAILABLE: Result<bool, Code> = Err(Code::Unavailable);

/// Trusts what it knows for a second.
fn strict(binary: Binary) -> Binary {
    binary.with("COUNTERSIGN_REVOCATION__STALE_AFTER", "1s")
}

async fn health(serving: &Serving, service: &str) -> ServingStatus {
    let mut client = HealthClient::new(channel(serving).await);
    client.check(HealthCheckRequest { service: service.to_owned() }).await.unwrap().into_inner().status()
}

on_both_engines! {
    async fn without_its_upstream_an_edge_does_as_it_was_told(engine) {
        let database = Database::create(engine).await;
        let mut origin = Origin::start(&database).await;
        let key = origin.key.clone();
        let with = |then: &'static str| move |edge| strict(edge).with("COUNTERSIGN_REVOCATION__ON_STALE", then);
        let mut deny = origin.filled_edge(with("deny")).await;
        let mut strong = origin.filled_edge(with("strong")).await;
        let mut allow = origin.filled_edge(with("allow_until_exp")).await;
        let (token, ended) = (origin.signed_in(ADA).await, origin.signed_in("eve@example.com").await);
        origin.log_out(&ended).await;
        for edge in [&mut deny, &mut strong, &mut allow] {
            edge.until(&key, &ended, Ok(false)).await;
            edge.until(&key, &token, Ok(true)).await;
        }

        let stopped = origin.kill().await;
        for edge in [&mut deny, &mut strong] {
            edge.until(&key, &token, UNAVAILABLE).await;
            assert!(edge.age(&key).await > BOUND);
            assert_eq!((edge.verify(&token).await, edge.check(&token).await), (503, Code::Unavailable as i32));
            assert!(!is_ready(&edge.serving).await);
            in_time(async { while health(&edge.serving, "").await == ServingStatus::Serving {} }).await;
        }
        in_time(async { while allow.age(&key).await <= BOUND {} }).await;
        assert_eq!(allow.is_active(&key, &token).await, Ok(true));
        assert!(is_ready(&allow.serving).await);
        for edge in [&mut deny, &mut strong, &mut allow] {
            assert_eq!(edge.is_active(&key, &ended).await, Ok(false), "what is known stays known");
        }

        origin = stopped.start().await;
        for edge in [&mut deny, &mut strong, &mut allow] {
            until_ready(&edge.serving).await;
            edge.until(&key, &token, Ok(true)).await;
            assert_eq!(edge.is_active(&key, &ended).await, Ok(false));
        }
        // And it hears again.
        origin.log_out(&token).await;
        for edge in [&mut deny, &mut strong, &mut allow] {
            edge.until(&key, &token, Ok(false)).await;
        }
    }

    async fn what_ended_while_nobody_listened_is_told_afterwards(engine) {
        let database = Database::create(engine).await;
        let origin = Origin::start(&database).await;
        let key = origin.key.clone();
        let mut edge = origin.filled_edge(strict).await;
        let token = origin.signed_in(ADA).await;
        edge.until(&key, &token, Ok(true)).await;
        let stopped = origin.kill().await;
        edge.until(&key, &token, UNAVAILABLE).await;
        // The operator's commands need no service.
        stopped.command(&["user", "disable", "--email", ADA]).await;
        let _origin = stopped.start().await;
        in_time(async {
            loop {
                match edge.is_active(&key, &token).await {
                    UNAVAILABLE => {}
                    answer => break assert_eq!(answer, Ok(false)),
                }
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_known_yet_is_not_answered() {
    let origin = Origin::alone().await;
    let token = origin.signed_in(ADA).await;
    for then in ["deny", "strong", "allow_until_exp"] {
        // Nobody is there.
        let binary = origin.edge("http://127.0.0.1:1").with("COUNTERSIGN_REVOCATION__ON_STALE", then);
        let mut edge = Edge::start(binary).await;
        for token in [token.as_str(), "junk"] {
            assert_eq!(edge.is_active(&origin.key, token).await, UNAVAILABLE);
            assert_eq!((edge.verify(token).await, edge.check(token).await), (503, Code::Unavailable as i32));
        }
        let watched =
            edge.client.watch_revocations(with_bearer(WatchRevocationsRequest::default(), origin.key.expose()));
        assert_eq!(watched.await.unwrap_err().code(), Code::Unavailable);
        let keys = edge.client.list_public_keys(ListPublicKeysRequest {}).await.unwrap_err();
        assert_eq!(keys.code(), Code::Unavailable);
        let get = async |path: &str| get(&edge.serving, path, &[]).await.status.as_u16();
        assert_eq!((get("/healthz").await, get("/readyz").await), (200, 503));
        assert_eq!(get("/.well-known/countersign/keys").await, 503);
        for service in ["", "countersign.v1.TokenService"] {
            assert_eq!(health(&edge.serving, service).await, ServingStatus::NotServing);
        }
        let stopped = edge.serving.stop().await;
        assert_eq!(stopped.code, Some(0), "{stopped:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ages_add_up_from_hand_to_hand() {
    let origin = Origin::alone().await;
    let key = origin.key.clone();
    let mut near = origin.filled_edge(strict).await;
    let mut far = Edge::start(strict(origin.edge(&near.serving.url))).await;
    until_ready(&far.serving).await;
    let token = origin.signed_in(ADA).await;
    far.until(&key, &token, Ok(true)).await;
    // The near one goes on to tell the far one that it is there.
    origin.serving.freeze().await;
    far.until(&key, &token, UNAVAILABLE).await;
    let (old, older) = (near.age(&key).await, far.age(&key).await);
    assert!(old <= older && older > BOUND, "{old:?} {older:?}");
    origin.serving.thaw().await;
    for edge in [&mut near, &mut far] {
        edge.until(&key, &token, Ok(true)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_answer_after_a_pause_does_not_trust_what_was_known_before_it() {
    let origin = Origin::alone().await;
    let key = origin.key.clone();
    let mut edge = origin.filled_edge(strict).await;
    origin.signed_in(ADA).await;
    let token = login(&mut origin.serving.client().await, ADA).await.unwrap().tokens.unwrap().access_token;
    edge.until(&key, &token, Ok(true)).await;

    edge.serving.freeze().await;
    origin.log_out(&token).await;
    let mut client = edge.client.clone();
    let mut first = tokio::spawn(async move { verify(&mut client, &key, ask(&token)).await });
    // That the time passes in which nobody answers is what is tested.
    assert!(timeout_at(Instant::now() + 2 * BOUND, &mut first).await.is_err(), "it stands still");
    edge.serving.thaw().await;
    match in_time(first).await.unwrap() {
        Ok(answer) => assert!(!answer.status.unwrap().active),
        Err(refusal) => assert_eq!(refusal.code(), Code::Unavailable),
    }
}
