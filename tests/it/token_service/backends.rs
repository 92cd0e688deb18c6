//! Services that are let in, for some tokens, and shut out again, on every node.

use countersign::{domain::BackendKey, proto::VerifyTokenRequest};

use super::{ask, claims, connect, let_in, verify};
use crate::support::{
    Database, Engine, TestApp,
    grpc::{summary, with_bearer},
    on_both_engines,
    process::{Binary, in_time},
};

on_both_engines! {
    async fn a_service_that_is_shut_out_is_refused_on_every_node(engine) {
        let one = TestApp::spawn(engine).await;
        let other = one.another_node().await;
        let key = let_in(&one, "gateway", &["countersign"]).await;
        let stays = let_in(&one, "billing", &["countersign"]).await;
        let (mut here, mut there) = (connect(&one).await, connect(&other).await);
        in_time(async { while verify(&mut there, &stays, ask("")).await.is_err() {} }).await;
        verify(&mut there, &key, ask("")).await.unwrap();

        assert!(one.app.revoke_backend(&"gateway".parse().unwrap()).await.unwrap());

        let refusal = verify(&mut here, &key, ask("")).await.unwrap_err();
        assert_eq!(summary(&refusal), "Unauthenticated TOKEN_INVALID", "at once where it was said");
        other.app.pull_revocations().await.unwrap();
        let refusal = verify(&mut there, &key, ask("")).await.unwrap_err();
        assert_eq!(summary(&refusal), "Unauthenticated TOKEN_INVALID");
        verify(&mut there, &stays, ask("")).await.unwrap();
        let one = one.restart().await;
        assert!(verify(&mut connect(&one).await, &key, ask("")).await.is_err(), "and for ever");
        assert!(!one.app.revoke_backend(&"gateway".parse().unwrap()).await.unwrap(), "once");
    }

    async fn a_stolen_database_lets_no_service_in(engine) {
        let app = TestApp::spawn(engine).await;
        let key = let_in(&app, "gateway", &["countersign"]).await;
        let digest = app.database.bytes("SELECT digest FROM backends").await.remove(0);
        assert_eq!(digest.len(), 32);
        let mut client = connect(&app).await;
        let of = |bytes: [u8; 32]| {
            let id = key.parts().unwrap().id;
            BackendKey::from_parts(&countersign::domain::BackendKeyParts { id, secret: bytes })
        };
        for forged in [of(digest.try_into().unwrap()), of([0; 32])] {
            let refusal = verify(&mut client, &forged, ask("")).await.unwrap_err();
            assert_eq!(summary(&refusal), "Unauthenticated TOKEN_INVALID");
        }
        verify(&mut client, &key, ask("")).await.unwrap();
    }
}

#[tokio::test]
async fn a_service_sees_the_tokens_of_its_own_audiences_alone() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let ours = let_in(&app, "gateway", &["countersign", "reports"]).await;
    let foreign = let_in(&app, "billing", &["billing"]).await;
    let token = app.signed_in("ada@example.com").await.tokens.unwrap().access_token;
    let mut client = connect(&app).await;
    let asks_for = |audience: &str| VerifyTokenRequest { audience: audience.to_owned(), ..ask(&token) };
    assert!(claims(&mut client, &ours, asks_for("countersign")).await.is_some());
    assert_eq!(claims(&mut client, &ours, asks_for("reports")).await, None, "it is not for that one");
    for (key, audience) in [(&ours, "billing"), (&foreign, ""), (&foreign, "countersign")] {
        let refusal = verify(&mut client, key, asks_for(audience)).await.unwrap_err();
        assert_eq!(summary(&refusal), "PermissionDenied FORBIDDEN", "{audience}");
    }
    assert_eq!(claims(&mut client, &foreign, asks_for("billing")).await, None);
}

#[tokio::test]
async fn junk_for_a_key_is_refused() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let key = let_in(&app, "gateway", &["countersign"]).await;
    let mut client = connect(&app).await;
    let refusal = client.verify_token(ask("")).await.unwrap_err();
    assert_eq!(summary(&refusal), "Unauthenticated NOT_SIGNED_IN");
    let text = key.expose();
    for junk in ["", "cs_bk_", &text[..69], &text.replace("cs_bk", "cs_rt"), &format!("{text}=")] {
        let refusal = client.verify_token(with_bearer(ask(""), junk)).await.unwrap_err();
        assert_eq!(summary(&refusal), "Unauthenticated TOKEN_INVALID", "{junk}");
    }
}

on_both_engines! {
    async fn an_operator_lets_services_in_and_shuts_them_out(engine) {
        let database = Database::create(engine).await;
        let binary = Binary::default().patient().with("COUNTERSIGN_DATABASE__URL", database.url(None));
        let serving = binary.serve().await;
        let created = binary.run(&["backend", "create", "--name", "gateway"]).await;
        assert_eq!(created.code, Some(0), "{created:?}");
        let key = BackendKey::from_text(created.stdout.trim_end().to_owned());
        assert!(key.parts().is_ok() && !created.stderr.contains(key.expose()), "{created:?}");
        let taken = binary.run(&["backend", "create", "--name", "gateway", "--audience", "billing"]).await;
        assert_eq!((taken.code, taken.stdout.as_str()), (Some(1), ""), "{taken:?}");
        assert_eq!(taken.stderr, "error: the name gateway was given before\n");

        let url = serving.url.clone();
        let mut client = countersign::proto::token_service_client::TokenServiceClient::connect(url).await.unwrap();
        in_time(async { while verify(&mut client, &key, ask("")).await.is_err() {} }).await;

        let listed = binary.run(&["backend", "list"]).await.stdout;
        let line = listed.lines().nth(1).unwrap();
        assert!(line.starts_with("gateway ") && line.contains(" active ") && line.ends_with(" countersign"), "{listed}");
        assert!(!listed.contains("cs_bk_"));
        let revoked = binary.run(&["backend", "revoke", "--name", "gateway"]).await;
        assert_eq!((revoked.code, revoked.stdout.as_str()), (Some(0), "revoked gateway\n"), "{revoked:?}");
        in_time(async { while verify(&mut client, &key, ask("")).await.is_ok() {} }).await;
        let again = binary.run(&["backend", "revoke", "--name", "gateway"]).await;
        assert_eq!(again.stderr, "error: no service that is let in is called gateway\n");
        let listed = binary.run(&["backend", "list"]).await.stdout;
        assert!(listed.lines().nth(1).unwrap().contains(" revoked "), "{listed}");
    }
}
