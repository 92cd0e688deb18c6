//! What an edge answers, to whom, and that it answers by itself.

use countersign::{
    domain::{BackendKey, BackendKeyParts},
    proto::{ListPublicKeysRequest, VerifyTokenRequest, WhoAmIRequest},
};
use tonic::Code;
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use super::{ADA, Edge, Origin, channel, get, let_in};
use crate::{
    support::{
        Database,
        grpc::{summary, with_bearer},
        on_both_engines,
        process::{Serving, in_time},
    },
    token_service::{ask, claims, verify},
};

async fn published(serving: &Serving) -> bytes::Bytes {
    get(serving, "/.well-known/countersign/keys", &[]).await.body
}

on_both_engines! {
    async fn an_edge_answers_as_its_upstream_does_and_goes_on_without_it(engine) {
        let database = Database::create(engine).await;
        let origin = Origin::start(&database).await;
        let token = origin.signed_in(ADA).await;
        let ended = origin.signed_in("eve@example.com").await;
        origin.log_out(&ended).await;
        let key = origin.key.clone();
        let mut edge = origin.filled_edge(|edge| edge).await;

        let said = claims(&mut edge.client, &key, ask(&token)).await.unwrap();
        assert_eq!((said.audience.as_str(), said.user_id.len()), ("countersign", 36));
        assert_eq!((edge.verify(&token).await, edge.check(&token).await), (204, 0));
        for bad in [ended.as_str(), "junk", &format!("{token}.")] {
            assert_eq!(claims(&mut edge.client, &key, ask(bad)).await, None);
            assert_eq!((edge.verify(bad).await, edge.check(bad).await), (401, Code::Unauthenticated as i32), "{bad}");
        }
        let keys = published(&origin.serving).await;
        assert_eq!(published(&edge.serving).await, keys);

        origin.kill().await;
        assert_eq!((edge.verify(&token).await, edge.check(&token).await), (204, 0), "by itself");
        assert_eq!(edge.is_active(&key, &ended).await, Ok(false));
        assert_eq!(published(&edge.serving).await, keys);
        assert_eq!(std::fs::read_dir(edge.binary.folder.path()).unwrap().count(), 0, "it keeps nothing");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_ask_an_edge_with_their_own_keys() {
    let origin = Origin::alone().await;
    let foreign = BackendKey::from_text(let_in(&origin.binary, &["--name", "billing", "--audience", "billing"]).await);
    let token = origin.signed_in(ADA).await;
    let mut edge = origin.filled_edge(|edge| edge).await;
    let id = origin.key.parts().unwrap().id;
    // Which the origin learns in a moment, and the edge with it.
    in_time(async { while edge.is_active(&foreign, "").await != Err(Code::PermissionDenied) {} }).await;
    let Edge { mut client, binary: _binary, serving } = edge;
    let forged = BackendKey::from_parts(&BackendKeyParts { id, secret: [7; 32] });
    for (key, expected) in [(&forged, "Unauthenticated TOKEN_INVALID"), (&foreign, "PermissionDenied FORBIDDEN")] {
        let refusal = verify(&mut client, key, ask(&token)).await.unwrap_err();
        assert_eq!(summary(&refusal), expected);
    }
    assert_eq!(summary(&client.verify_token(ask(&token)).await.unwrap_err()), "Unauthenticated NOT_SIGNED_IN");
    let billing = VerifyTokenRequest { audience: "billing".to_owned(), ..ask(&token) };
    assert_eq!(claims(&mut client, &foreign, billing).await, None);
    assert!(claims(&mut client, &origin.key, ask(&token)).await.is_some());
    assert!(client.list_public_keys(ListPublicKeysRequest {}).await.is_ok());

    // Nobody signs in here.
    let refusal = serving.client().await.who_am_i(with_bearer(WhoAmIRequest {}, &token)).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unimplemented);
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..ServerReflectionRequest::default()
    };
    let mut reflection = ServerReflectionClient::new(channel(&serving).await);
    let mut answers = reflection.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    let listed = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(listed)) = listed else { panic!("{listed:?}") };
    let listed: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    let served = ["countersign.v1.TokenService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"];
    assert_eq!(listed, served);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strong_answer_is_the_upstreams_or_none() {
    let origin = Origin::alone().await;
    let (token, ended) = (origin.signed_in(ADA).await, origin.signed_in("eve@example.com").await);
    let key = origin.key.clone();
    // Two hops: each asks the next.
    let first = origin.filled_edge(|edge| edge).await;
    let mut second = Edge::start(origin.edge(&first.serving.url)).await;
    super::until_ready(&second.serving).await;
    let strong = |token: &str| VerifyTokenRequest { strong: true, ..ask(token) };
    origin.log_out(&ended).await;
    assert_eq!(claims(&mut second.client, &key, strong(&ended)).await, None, "at once");
    assert!(claims(&mut second.client, &key, strong(&token)).await.is_some());
    let answer = verify(&mut second.client, &key, strong(&token)).await.unwrap();
    assert_eq!(answer.revocations_age, Some(prost_types::Duration::default()));

    origin.kill().await;
    let refusal = verify(&mut second.client, &key, strong(&token)).await.unwrap_err();
    assert_eq!(summary(&refusal), "Unavailable UNAVAILABLE");
    assert_eq!(claims(&mut second.client, &key, strong("junk")).await, None, "that needs no asking");
    assert_eq!(claims(&mut second.client, &key, strong(&ended)).await, None, "nor does what is known to have ended");
}
