//! What happens at the service, and how soon an edge, an edge of an edge, and those who listen to them know.

use std::time::{Duration, Instant};

use countersign::{
    domain::BackendKey,
    proto::{
        WatchRevocationsRequest, WatchRevocationsResponse, revocation::Revoked, watch_revocations_response::Event,
    },
};
use countersign_client::{Feed, OnStale, Refusal, Verifier};
use tonic::{Code, Streaming};

use super::{ADA, Edge, Origin, get, let_in, until_ready};
use crate::{
    support::{
        Database,
        grpc::{login, with_bearer},
        on_both_engines,
        process::in_time,
        say,
    },
    token_service::{Tokens, ask, claims},
};

const BOUND: Duration = Duration::from_secs(1);

async fn listen(client: &mut Tokens, key: &str, place: &[u8]) -> Streaming<WatchRevocationsResponse> {
    let request = WatchRevocationsRequest { resume_token: place.to_vec(), as_edge: false };
    client.watch_revocations(with_bearer(request, key)).await.unwrap().into_inner()
}

/// What is told up to the next place, and that place; how many snapshots began, and which sessions ended.
async fn told(stream: &mut Streaming<WatchRevocationsResponse>) -> (usize, Vec<Vec<u8>>, Vec<u8>) {
    let (mut snapshots, mut sessions) = (0, Vec::new());
    let until_a_place = async {
        loop {
            match stream.message().await.unwrap().unwrap().event.unwrap() {
                Event::SnapshotBegins(_) => snapshots += 1,
                Event::Revocations(batch) => sessions.extend(batch.revocations.into_iter().filter_map(|entry| {
                    let Some(Revoked::SessionId(id)) = entry.revoked else { return None };
                    Some(id)
                })),
                Event::UpTo(place) => return place.resume_token,
                Event::ForEdge(_) => panic!("who is told that?"),
                Event::Keys(_) | Event::Heartbeat(_) | Event::GoAway(_) => {}
            }
        }
    };
    let place = in_time(until_a_place).await;
    (snapshots, sessions, place)
}

on_both_engines! {
    async fn a_session_that_ended_is_refused_within_a_second_through_one_edge_and_two(engine) {
        let database = Database::create(engine).await;
        let origin = Origin::start(&database).await;
        let key = origin.key.clone();
        let mut near = origin.filled_edge(|edge| edge).await;
        let mut far = Edge::start(origin.edge(&near.serving.url)).await;
        until_ready(&far.serving).await;
        origin.signed_in(ADA).await;
        let mut client = origin.serving.client().await;
        for _ in 0..5 {
            let token = login(&mut client, ADA).await.unwrap().tokens.unwrap().access_token;
            assert_eq!((near.is_active(&key, &token).await, far.is_active(&key, &token).await), (Ok(true), Ok(true)));
            origin.log_out(&token).await;
            let acknowledged = Instant::now();
            near.until(&key, &token, Ok(false)).await;
            let one = acknowledged.elapsed();
            far.until(&key, &token, Ok(false)).await;
            let two = acknowledged.elapsed();
            assert_eq!((far.verify(&token).await, far.check(&token).await), (401, Code::Unauthenticated as i32));
            say(format_args!("refused after {} ms by an edge, after {} ms by its edge", one.as_millis(), two.as_millis()));
            assert!(two < BOUND, "{two:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_come_and_go_reach_an_edge() {
    let origin = Origin::alone().await;
    let key = origin.key.clone();
    let mut edge = origin.filled_edge(|edge| edge).await;
    let token = origin.signed_in(ADA).await;
    edge.until(&key, &token, Ok(true)).await;
    let keys = async |edge: &mut Edge| {
        edge.client.list_public_keys(countersign::proto::ListPublicKeysRequest {}).await.unwrap().into_inner().keys
    };
    let active = keys(&mut edge).await[0].id.clone();
    origin.command(&["key", "rotate"]).await;
    in_time(async { while keys(&mut edge).await.len() < 2 {} }).await;

    origin.command(&["key", "revoke", &active]).await;
    let revoked = Instant::now();
    edge.until(&key, &token, Ok(false)).await;
    assert!(revoked.elapsed() < BOUND);
    // Its session lives.
    let challenge = async |edge: &Edge| {
        let reply = get(&edge.serving, "/verify", &[("authorization", &format!("Bearer {token}"))]).await;
        reply.header("www-authenticate").unwrap().to_owned()
    };
    assert!(challenge(&edge).await.contains("TOKEN_EXPIRED"));
    let next = login(&mut origin.serving.client().await, ADA).await.unwrap().tokens.unwrap().access_token;
    edge.until(&key, &next, Ok(true)).await;
    let edge = origin.filled_edge(|edge| edge).await;
    assert!(challenge(&edge).await.contains("TOKEN_EXPIRED"), "to one that never knew the key as well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_that_come_and_go_reach_an_edge() {
    let origin = Origin::alone().await;
    let near = origin.filled_edge(|edge| edge).await;
    let mut far = Edge::start(origin.edge(&near.serving.url)).await;
    until_ready(&far.serving).await;
    let billing = BackendKey::from_text(let_in(&origin.binary, &["--name", "billing"]).await);
    far.until(&billing, "", Ok(false)).await;
    let mut listening = listen(&mut far.client.clone(), billing.expose(), &[]).await;
    told(&mut listening).await;

    origin.command(&["backend", "revoke", "--name", "billing"]).await;
    let revoked = Instant::now();
    far.until(&billing, "", Err(Code::Unauthenticated)).await;
    assert!(revoked.elapsed() < BOUND, "{:?}", revoked.elapsed());
    let ended = in_time(async {
        loop {
            if let Err(status) = listening.message().await {
                break status;
            }
        }
    })
    .await;
    assert_eq!(ended.code(), Code::Unauthenticated, "it hears nothing more");
    assert_eq!(far.is_active(&origin.key, "").await, Ok(false), "others stay");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_listens_may_move_between_an_edge_and_the_service_and_misses_nothing() {
    let origin = Origin::alone().await;
    let key = origin.key.expose().to_owned();
    let mut at_origin = Tokens::connect(origin.serving.url.clone()).await.unwrap();
    let sessions = [origin.signed_in(ADA).await, origin.signed_in("bob@example.com").await];
    let mut edge = origin.filled_edge(|edge| edge).await;
    let mut id = async |token: &str| {
        let id = claims(&mut edge.client, &origin.key, ask(token)).await.unwrap().session_id;
        id.parse::<countersign::domain::SessionId>().unwrap().as_bytes().to_vec()
    };
    let ids = [id(&sessions[0]).await, id(&sessions[1]).await];
    let mut here = edge.client.clone();
    let mut listening = listen(&mut here, &key, &[]).await;
    let (snapshots, ended, beginning) = told(&mut listening).await;
    assert_eq!((snapshots, ended.len()), (1, 0));
    origin.log_out(&sessions[0]).await;
    let (_, ended, first) = told(&mut listening).await;
    assert_eq!(ended, [ids[0].clone()]);
    origin.log_out(&sessions[1]).await;
    let (_, ended, second) = told(&mut listening).await;
    assert_eq!(ended, [ids[1].clone()]);

    for client in [&mut here, &mut at_origin] {
        let mut listening = listen(client, &key, &second).await;
        assert_eq!(told(&mut listening).await, (0, vec![], second.clone()));
        let (snapshots, ended, place) = told(&mut listen(client, &key, &first).await).await;
        assert_eq!((snapshots, ended, &place), (0, vec![ids[1].clone()], &second), "what it missed and no more");
        let (snapshots, _, _) = told(&mut listen(client, &key, b"nowhere").await).await;
        assert_eq!(snapshots, 1);
    }
    // Before this edge began: from here it cannot tell what was missed, and tells all.
    let late = origin.filled_edge(|edge| edge).await;
    let (snapshots, ended, place) = told(&mut listen(&mut late.client.clone(), &key, &beginning).await).await;
    assert_eq!((snapshots, ended.len(), &place), (1, 2, &second));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rust_client_follows_an_edge() {
    let origin = Origin::alone().await;
    let edge = origin.filled_edge(|edge| edge).await;
    let feed = Feed::new(origin.key.expose()).url(&edge.serving.url).on_stale(OnStale::Deny);
    let keys = format!("{}/.well-known/countersign/keys", edge.serving.url);
    let verifier = Verifier::builder("http://localhost:50051").keys_url(keys).feed(feed).build().unwrap();
    let token = origin.signed_in(ADA).await;
    let until = async |expected: Result<(), Refusal>| {
        in_time(async {
            while verifier.verify(&token).await.map(drop) != expected {
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    until(Ok(())).await;
    origin.log_out(&token).await;
    let acknowledged = Instant::now();
    until(Err(Refusal::SessionEnded)).await;
    assert!(acknowledged.elapsed() < BOUND);
}
