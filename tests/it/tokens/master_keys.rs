//! The master key is changed without anybody noticing; without it nothing opens, and the service says so before it serves.

use countersign::proto::WhoAmIRequest;

use super::forge::Forge;
use crate::support::{
    TestApp,
    grpc::{login, refresh, summary, with_bearer},
    on_both_engines,
    process::Binary,
};

const NEW: &str = "cs_mk_AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";
const OTHER: &str = "cs_mk_AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM";

/// What a token begins with: the version of its master key, and half a byte of an age that all sessions share.
fn version(refresh_token: &str) -> &str {
    &refresh_token[6..8]
}

/// Why a service with these master keys does not start on the app's database.
async fn why_not(app: &TestApp, master_keys: &str) -> String {
    app.use_cases(master_keys).await.map(drop).unwrap_err().to_string()
}

on_both_engines! {
    async fn sessions_and_signing_keys_survive_a_change_of_the_master_key(engine) {
        let app = TestApp::spawn(engine).await;
        let old = app.setup.master_keys.clone();
        let before = app.signed_in("ada@example.com").await.tokens.unwrap();

        let app = app.restart_with(|setup| setup.master_keys = format!("{NEW}\n{old}\n")).await;
        let mut client = app.client().await;
        client.who_am_i(with_bearer(WhoAmIRequest::default(), &before.access_token)).await.unwrap();
        let moved = refresh(&mut client, &before.refresh_token).await.unwrap();
        assert_ne!(version(&moved.refresh_token), version(&before.refresh_token), "it moves to the new key");
        let again = refresh(&mut client, &before.refresh_token).await.unwrap();
        assert_eq!(again.refresh_token, moved.refresh_token, "within the grace the very same");
        let fresh = login(&mut client, "ada@example.com").await.unwrap().tokens.unwrap();
        assert_eq!(version(&fresh.refresh_token), version(&moved.refresh_token));

        // Back again: the other way round is a change like any other.
        let app = app.restart_with(|setup| setup.master_keys = format!("{old} {NEW}")).await;
        let mut client = app.client().await;
        let back = refresh(&mut client, &moved.refresh_token).await.unwrap();
        assert_eq!(version(&back.refresh_token), version(&before.refresh_token));
        assert!(refresh(&mut client, &fresh.refresh_token).await.is_ok());
        assert_eq!(app.database.number("SELECT COUNT(*) FROM signing_keys").await, 1);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").await, 2);
    }

    async fn without_the_key_that_sealed_it_a_signing_key_stops_the_start(engine) {
        let app = TestApp::spawn(engine).await;
        let id = app.database.text("SELECT id FROM signing_keys").await.unwrap();
        let sealed = format!("signing key {id} does not open with any configured master key");
        assert_eq!(why_not(&app, NEW).await, sealed);
        assert_eq!(why_not(&app, &format!("{NEW} {OTHER}")).await, sealed);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM signing_keys").await, 1, "and no other key is made");
    }

    async fn tokens_of_a_master_key_that_is_gone_are_no_tokens(engine) {
        let app = TestApp::spawn(engine).await;
        let before = app.signed_in("ada@example.com").await.tokens.unwrap();
        app.database.execute("DELETE FROM signing_keys").await;
        let app = app.restart_with(|setup| NEW.clone_into(&mut setup.master_keys)).await;
        let mut client = app.client().await;
        let refusal = refresh(&mut client, &before.refresh_token).await.unwrap_err();
        assert_eq!(summary(&refusal), "Unauthenticated TOKEN_INVALID");
        let refusal = client.who_am_i(with_bearer(WhoAmIRequest::default(), &before.access_token)).await.unwrap_err();
        assert_eq!(summary(&refusal), "Unauthenticated TOKEN_INVALID");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").await, 1);
        assert!(login(&mut client, "ada@example.com").await.is_ok());
    }

    async fn a_signing_key_that_is_not_what_it_says_stops_the_start(engine) {
        let (app, forge) = Forge::behind(engine).await;
        let (id, master) = (forge.key.id.to_string(), app.setup.master_keys.clone());
        let other = Forge::new(99, &master, countersign::domain::KeyState::Next).key;
        let corrupt = format!("signing key {id} is corrupt");
        let sealed = format!("signing key {id} does not open with any configured master key");
        let state = "a row of signing_keys is corrupt: state".to_owned();
        for (damage, why) in [
            ("public = 'k4.public.AAAA'".to_owned(), corrupt.clone()),
            ("public = ''".to_owned(), corrupt.clone()),
            (format!("public = '{}'", other.public), corrupt.clone()),
            (format!("id = '{}'", other.id), format!("signing key {} is corrupt", other.id)),
            (format!("sealed = '{}'", other.sealed), sealed.clone()),
            ("sealed = ''".to_owned(), sealed.clone()),
            (format!("sealed = '{}'", forge.key.sealed.replacen("v4.local.", "v4.local.A", 1)), sealed),
            ("state = 'corrupt'".to_owned(), state),
            ("state = 'retired'".to_owned(), "there is no active signing key".to_owned()),
        ] {
            app.database.execute(&format!("UPDATE signing_keys SET {damage}")).await;
            assert_eq!(why_not(&app, &master).await, why, "{damage}");
            app.database.execute("DELETE FROM signing_keys").await;
            assert!(app.store.add_signing_key(&forge.key).await.unwrap());
        }
        app.restart().await;
    }
}

#[tokio::test]
async fn an_operator_is_told_which_key_does_not_open() {
    let with = |key: &str| Binary::default().patient().with("COUNTERSIGN_KEYS__MASTER_KEY", key);
    let (first, second) = (with(NEW), with(OTHER));
    let database = format!("sqlite:{}", first.folder.path().join("countersign.db").display());
    let url = "COUNTERSIGN_DATABASE__URL";
    let first = first.with(url, database.clone());
    assert_eq!(first.run(&["key", "list"]).await.code, Some(0));

    let refused = second.with(url, database).run(&["serve", "--listen", "127.0.0.1:0"]).await;

    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("signing key k4.pid."), "{refused:?}");
    assert!(refused.stderr.contains("does not open with any configured master key"), "{refused:?}");
    assert!(!refused.stderr.contains("listening on"), "{refused:?}");
    for key in [NEW, OTHER] {
        assert!(!refused.stderr.contains(&key[6..]), "{refused:?}");
    }
    first.serve().await;
}
