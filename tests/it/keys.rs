//! The life of a signing key, seen from outside: nobody is refused because it changes, and nobody passes once it is revoked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign::{
    app::{Error, Rejection},
    domain::{AccessToken, Device, KeyId, KeyState, RefreshToken},
    proto::{LogoutRequest, WhoAmIRequest},
    store::KeyRevocation,
};
use tokio::task::JoinSet;

use crate::support::{
    Database, TestApp,
    grpc::{refresh, sign_up, summary, with_bearer},
    on_both_engines,
    process::Binary,
};

const DAY: Duration = Duration::from_hours(24);
const MINUTE: Duration = Duration::from_mins(1);

fn states(app: &TestApp) -> Vec<&'static str> {
    app.app.signing_keys().iter().map(|key| key.state.as_str()).collect()
}

fn published(app: &TestApp) -> Vec<(String, &'static str)> {
    app.app.public_keys().keys.iter().map(|key| (key.id.to_string(), key.state.as_str())).collect()
}

/// The key that a token names.
fn key_of(token: &str) -> KeyId {
    let footer = URL_SAFE_NO_PAD.decode(token.rsplit('.').next().unwrap()).unwrap();
    let footer: serde_json::Value = serde_json::from_slice(&footer).unwrap();
    KeyId::from_paserk(footer["kid"].as_str().unwrap().to_owned())
}

on_both_engines! {
    async fn a_key_is_published_before_it_signs_and_good_after_it_did(engine) {
        let one = TestApp::spawn(engine).await;
        let other = one.another_node().await;
        let all = async |expected: &[&str]| {
            for node in [&one, &other] {
                node.app.rotate_keys().await.unwrap();
            }
            for node in [&one, &other] {
                node.app.pull_revocations().await.unwrap();
                assert_eq!(states(node), expected);
            }
        };
        let first = one.signed_in("ada@example.com").await.tokens.unwrap();
        all(&["active"]).await;
        one.clock.advance(89 * DAY + 1_319 * MINUTE);
        all(&["active"]).await;
        one.clock.advance(MINUTE);
        all(&["active", "next"]).await;
        one.clock.advance(119 * MINUTE);
        all(&["active", "next"]).await;
        let before = one.signed_in("eve@example.com").await.tokens.unwrap();
        assert_eq!(key_of(&before.access_token), key_of(&first.access_token));

        one.clock.advance(MINUTE);
        all(&["retired", "active"]).await;
        let after = refresh(&mut other.client().await, &before.refresh_token).await.unwrap();
        assert_ne!(key_of(&after.access_token), key_of(&before.access_token));
        for tokens in [&before, &after] {
            for node in [&one, &other] {
                node.client().await.who_am_i(with_bearer(WhoAmIRequest::default(), &tokens.access_token)).await.unwrap();
            }
        }
        assert_eq!(published(&one).len(), 2);
        let not_after = one.app.public_keys().keys[0].not_after.unwrap();
        one.clock.advance(17 * MINUTE);
        assert_eq!(one.app.public_keys().keys.len(), 1, "nothing that it signed can be left, at {not_after}");
        all(&["retired", "active"]).await;
        let one = one.restart().await;
        assert_eq!(states(&one), ["retired", "active"]);
    }

    async fn a_revoked_key_takes_its_tokens_along_and_no_session(engine) {
        let one = TestApp::spawn(engine).await;
        let other = one.another_node().await;
        let tokens = one.signed_in("ada@example.com").await.tokens.unwrap();
        let key = key_of(&tokens.access_token);
        for node in [&one, &other] {
            // So that its signature need not be looked at again.
            let request = with_bearer(WhoAmIRequest::default(), &tokens.access_token);
            node.client().await.who_am_i(request).await.unwrap();
        }
        assert_eq!(one.app.revoke_key(&key).await.unwrap(), KeyRevocation::Done);
        other.app.pull_revocations().await.unwrap();
        for node in [&one, &other] {
            let mut client = node.client().await;
            let refusal = client.who_am_i(with_bearer(WhoAmIRequest::default(), &tokens.access_token)).await.unwrap_err();
            assert_eq!(summary(&refusal), "Unauthenticated TOKEN_EXPIRED", "so that its holder refreshes");
            let leaving = client.logout(with_bearer(LogoutRequest::default(), &tokens.access_token)).await.unwrap_err();
            assert_eq!(summary(&leaving), "Unauthenticated TOKEN_INVALID", "whoever has the key could end any session");
            assert!(!published(node).iter().any(|(id, _)| *id == key.to_string()));
        }
        let renewed = refresh(&mut other.client().await, &tokens.refresh_token).await.unwrap();
        one.client().await.who_am_i(with_bearer(WhoAmIRequest::default(), &renewed.access_token)).await.unwrap();
        assert_eq!(states(&one), ["revoked", "active"]);
        assert_eq!(one.app.revoke_key(&key).await.unwrap(), KeyRevocation::Already);
        let unknown = KeyId::from_paserk("k4.pid.x".to_owned());
        assert_eq!(one.app.revoke_key(&unknown).await.unwrap(), KeyRevocation::Unknown);

        one.app.publish_next_key().await.unwrap();
        one.app.publish_next_key().await.unwrap();
        assert_eq!(states(&one), ["revoked", "active", "next"], "one is enough");
        let active = one.app.signing_keys().iter().find(|key| key.state == KeyState::Active).unwrap().id.clone();
        assert_eq!(one.app.revoke_key(&active).await.unwrap(), KeyRevocation::Done);
        assert_eq!(states(&one), ["revoked", "revoked", "active"], "the next one takes over");
    }

    async fn nobody_is_refused_while_keys_change(engine) {
        let one = TestApp::spawn(engine).await;
        let other = one.another_node().await;
        let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut users = JoinSet::new();
        for user in 0..4 {
            let email = format!("user{user}@example.com");
            sign_up(&mut one.client().await, &email).await;
            let (here, there) = (one.app.clone(), other.app.clone());
            let (stop, calls, mut tokens) = (Arc::clone(&stop), Arc::clone(&calls), one.signed_in(&format!("x{email}")).await.tokens.unwrap());
            users.spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let token = AccessToken::from_text(tokens.access_token.clone());
                    for node in [&here, &there] {
                        node.authenticate(Some(&token)).await.unwrap();
                    }
                    let refresh = RefreshToken::from_text(tokens.refresh_token.clone());
                    let next = there.refresh(&refresh, Device::default()).await.unwrap().tokens;
                    next.access.expose().clone_into(&mut tokens.access_token);
                    next.refresh.expose().clone_into(&mut tokens.refresh_token);
                    calls.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for _ in 0..5 {
            one.app.publish_next_key().await.unwrap();
            let before = calls.load(Ordering::SeqCst);
            while calls.load(Ordering::SeqCst) < before + 40 {
                tokio::task::yield_now().await;
            }
            // Both nodes have long known the next key when one of them lets it sign.
            other.app.pull_revocations().await.unwrap();
            one.database.execute("UPDATE signing_keys SET state_since = 0 WHERE state = 'next'").await;
            one.app.rotate_keys().await.unwrap();
        }
        stop.store(true, Ordering::SeqCst);
        users.join_all().await;
        assert_eq!(states(&one), ["retired", "retired", "retired", "retired", "retired", "active"]);
    }

    async fn a_retired_key_that_leaks_later_signs_nothing_that_counts(engine) {
        let app = TestApp::spawn(engine).await;
        let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
        app.app.publish_next_key().await.unwrap();
        app.database.execute("UPDATE signing_keys SET state_since = 0 WHERE state = 'next'").await;
        app.app.rotate_keys().await.unwrap();
        let token = AccessToken::from_text(tokens.access_token);
        app.clock.advance(4 * MINUTE);
        assert!(app.app.authenticate(Some(&token)).await.is_ok());
        app.clock.advance(13 * MINUTE);
        let refusal = app.app.authenticate(Some(&token)).await.map(drop);
        assert!(matches!(refusal, Err(Error::Rejected(Rejection::TokenInvalid))), "not even as an old one: {refusal:?}");
    }

    async fn an_operator_changes_and_revokes_keys(engine) {
        let database = Database::create(engine).await;
        let binary = Binary::default().patient().with("COUNTERSIGN_DATABASE__URL", database.url(None));
        let list = async || {
            let listed = binary.run(&["key", "list"]).await.stdout;
            let columns = |line: &str| line.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>();
            listed.lines().skip(1).map(columns).collect::<Vec<_>>()
        };
        let first = list().await.remove(0);
        assert_eq!(first[1], "active");
        for _ in 0..2 {
            let rotated = binary.run(&["key", "rotate"]).await;
            assert_eq!(rotated.code, Some(0), "{rotated:?}");
            assert!(rotated.stdout.starts_with("the next key is published, and signs from 20"), "{rotated:?}");
        }
        let keys = list().await;
        assert_eq!((keys.len(), keys[1][1].as_str()), (2, "next"));
        let revoked = binary.run(&["key", "revoke", &first[0]]).await;
        assert_eq!((revoked.code, revoked.stdout.as_str()), (Some(0), format!("revoked {}\n", first[0]).as_str()), "{revoked:?}");
        assert_eq!(list().await.iter().map(|key| key[1].clone()).collect::<Vec<_>>(), ["revoked", "active"]);
        let again = binary.run(&["key", "revoke", &first[0]]).await;
        assert_eq!((again.code, again.stderr), (Some(1), format!("error: {} was revoked before\n", first[0])));
        let unknown = binary.run(&["key", "revoke", "k4.pid.x"]).await;
        assert_eq!((unknown.code, unknown.stderr.as_str()), (Some(1), "error: there is no signing key k4.pid.x\n"));
    }
}
