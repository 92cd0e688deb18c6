//! Tokens that count and tokens that do not, which nobody can tell apart by anything but that.

use std::time::Duration;

use countersign::proto::{
    BatchVerifyTokensRequest, KeyState, ListPublicKeysRequest, LogoutRequest, TokenStatus, VerifyTokenRequest,
    VerifyTokenResponse, WhoAmIRequest,
};

use super::{ask, claims, connect, let_in, verify};
use crate::support::{
    Engine, TestApp,
    grpc::{summary, with_bearer},
    on_both_engines,
};

const OURS: &[&str] = &["countersign"];

on_both_engines! {
    async fn a_good_token_is_described_and_an_ended_one_is_nothing(engine) {
        let app = TestApp::spawn(engine).await;
        let other = app.another_node().await;
        let key = let_in(&app, "gateway", OURS).await;
        other.app.pull_revocations().await.unwrap();
        let signed_in = app.signed_in("ada@example.com").await;
        let tokens = signed_in.tokens.unwrap();
        let (mut here, mut there) = (connect(&app).await, connect(&other).await);
        for client in [&mut here, &mut there] {
            let claims = claims(client, &key, ask(&tokens.access_token)).await.unwrap();
            assert_eq!(claims.user_id, signed_in.user.clone().unwrap().id);
            assert_eq!(claims.session_id, signed_in.session.clone().unwrap().id);
            assert_eq!((claims.audience.as_str(), claims.roles.len()), ("countersign", 0));
            assert_eq!(claims.expires_at.unwrap().seconds, tokens.access_expires_at.unwrap().seconds);
        }

        app.client().await.logout(with_bearer(LogoutRequest::default(), &tokens.access_token)).await.unwrap();

        assert_eq!(claims(&mut here, &key, ask(&tokens.access_token)).await, None, "at once where it was said");
        let strong = VerifyTokenRequest { strong: true, ..ask(&tokens.access_token) };
        assert_eq!(claims(&mut there, &key, strong).await, None, "at once where the database is asked");
        other.app.pull_revocations().await.unwrap();
        assert_eq!(claims(&mut there, &key, ask(&tokens.access_token)).await, None);
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_the_answer_is_the_same() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let elsewhere = TestApp::spawn(Engine::Sqlite).await;
    let key = let_in(&app, "gateway", OURS).await;
    let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
    let ended = app.signed_in("eve@example.com").await.tokens.unwrap();
    app.client().await.logout(with_bearer(LogoutRequest::default(), &ended.access_token)).await.unwrap();
    let foreign = elsewhere.signed_in("ada@example.com").await.tokens.unwrap().access_token;
    let mut client = connect(&app).await;
    app.clock.advance(Duration::from_mins(1));
    let mut answers = Vec::new();
    for token in [
        "",
        "junk",
        &"x".repeat(100_000),
        &tokens.refresh_token,
        key.expose(),
        &foreign,
        &ended.access_token,
        &format!("{}.", tokens.access_token),
        &tokens.access_token[..tokens.access_token.len() - 1],
    ] {
        let VerifyTokenResponse { status, .. } = verify(&mut client, &key, ask(token)).await.unwrap();
        answers.push(status.unwrap());
    }
    assert!(claims(&mut client, &key, ask(&tokens.access_token)).await.is_some());
    app.clock.advance(Duration::from_mins(6));
    answers.push(verify(&mut client, &key, ask(&tokens.access_token)).await.unwrap().status.unwrap());
    assert_eq!(answers, vec![TokenStatus { active: false, claims: None }; answers.len()]);
}

#[tokio::test]
async fn many_tokens_are_answered_in_their_order_and_too_many_are_refused() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let key = let_in(&app, "gateway", OURS).await;
    let good = app.signed_in("ada@example.com").await.tokens.unwrap().access_token;
    let batch = |count: usize, strong| {
        let tokens = (0..count).map(|index| if index % 3 == 0 { good.clone() } else { "x".repeat(4_096) }).collect();
        with_bearer(BatchVerifyTokensRequest { tokens, audience: String::new(), strong }, key.expose())
    };
    let mut client = connect(&app).await;
    for strong in [false, true] {
        let answer = client.batch_verify_tokens(batch(100, strong)).await.unwrap().into_inner();
        let active: Vec<bool> = answer.statuses.iter().map(|status| status.active).collect();
        assert_eq!(active, (0..100).map(|index| index % 3 == 0).collect::<Vec<_>>());
    }
    let refusal = client.batch_verify_tokens(batch(101, false)).await.unwrap_err();
    assert_eq!(summary(&refusal), "InvalidArgument INVALID_FIELDS tokens");
    let none = client.batch_verify_tokens(batch(0, false)).await.unwrap().into_inner();
    assert_eq!(none.statuses, []);
}

/// With the database closed nothing can be asked of it: what is answered all the same was answered from memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verifying_asks_nothing_of_the_database() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let key = let_in(&app, "gateway", OURS).await;
    let token = app.signed_in("ada@example.com").await.tokens.unwrap().access_token;
    let mut client = connect(&app).await;
    app.store.close().await.unwrap();
    for _ in 0..200 {
        assert!(claims(&mut client, &key, ask(&token)).await.is_some());
    }
    assert!(client.list_public_keys(ListPublicKeysRequest {}).await.is_ok());
    let strong = VerifyTokenRequest { strong: true, ..ask(&token) };
    let refusal = verify(&mut client, &key, strong).await.unwrap_err();
    assert_eq!(summary(&refusal), "Unavailable UNAVAILABLE", "a strong answer is one or none");
    app.clock.sleep_through(Duration::from_mins(2));
    let refusal = verify(&mut client, &key, ask(&token)).await.unwrap_err();
    assert_eq!(summary(&refusal), "Unavailable UNAVAILABLE", "what is known is too old");
    let age = app.app.verifier().age_of_revocations();
    assert!(age >= Duration::from_mins(2), "{age:?}");
}

#[tokio::test]
async fn anybody_is_told_the_public_keys() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let answer = connect(&app).await.list_public_keys(ListPublicKeysRequest {}).await.unwrap().into_inner();
    let [key] = &answer.keys[..] else { panic!("{answer:?}") };
    assert_eq!(answer.issuer, "https://auth.example.com");
    assert_eq!(Some(key.id.clone()), app.database.text("SELECT id FROM signing_keys").await);
    assert_eq!(Some(key.key.clone()), app.database.text("SELECT public FROM signing_keys").await);
    assert_eq!((key.state(), key.not_after), (KeyState::Active, None));
}

#[tokio::test]
async fn a_persons_token_asks_nothing_and_a_services_key_signs_nobody_in() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let key = let_in(&app, "gateway", OURS).await;
    let token = app.signed_in("ada@example.com").await.tokens.unwrap().access_token;
    let mut client = connect(&app).await;
    let refusal = client.verify_token(with_bearer(ask(&token), &token)).await.unwrap_err();
    assert_eq!(summary(&refusal), "Unauthenticated TOKEN_INVALID");
    let refusal = app.client().await.who_am_i(with_bearer(WhoAmIRequest {}, key.expose())).await.unwrap_err();
    assert_eq!(summary(&refusal), "Unauthenticated TOKEN_INVALID");
}
