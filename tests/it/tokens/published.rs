//! What verifiers are given: exactly the keys that verify, and nothing that signs.

use countersign::domain::KeyState;
use http::{Method, StatusCode};
use pasetors::{
    keys::AsymmetricPublicKey,
    paserk::{FormatAsPaserk as _, Id},
    token::{Public, UntrustedToken},
    version4::{PublicToken, V4},
};
use serde_json::{Value, json};

use super::forge::Forge;
use crate::support::{
    Engine, TestApp,
    http::{Http, Version},
    on_both_engines,
};

/// What the service publishes.
pub(super) async fn key_set(app: &TestApp) -> Value {
    let http = Http { address: app.address, version: Version::Http1, tls: None };
    let reply = http.send(Method::GET, "/.well-known/countersign/keys", &[], "").await;
    assert_eq!(reply.status, StatusCode::OK);
    serde_json::from_slice(&reply.body).unwrap()
}

on_both_engines! {
    async fn the_one_key_that_verifies_our_tokens_is_published(engine) {
        let app = TestApp::spawn(engine).await;
        let token = app.signed_in("ada@example.com").await.tokens.unwrap().access_token;
        let stored = async |column: &str| app.database.text(&format!("SELECT {column} FROM signing_keys")).await.unwrap();
        let (id, public) = (stored("id").await, stored("public").await);
        let published = key_set(&app).await;
        let made_at = published["keys"][0]["not_before"].clone();
        assert_eq!(made_at, json!("2027-01-15T08:00:00Z"), "when the test's clock began");
        let key = json!({
            "kid": id, "key": public, "status": "active", "not_before": made_at, "not_after": null,
        });
        assert_eq!(published, json!({ "issuer": "https://auth.example.com", "keys": [key] }));

        let public = AsymmetricPublicKey::<V4>::try_from(public.as_str()).unwrap();
        let mut computed = String::new();
        Id::from(&public).fmt(&mut computed).unwrap();
        assert_eq!(computed, id);
        let token = UntrustedToken::<Public, V4>::try_from(token.as_str()).unwrap();
        assert_eq!(token.untrusted_footer(), format!(r#"{{"kid":"{id}"}}"#).as_bytes());
        assert!(PublicToken::verify(&public, &token, None, None).is_ok());

        let other = app.another_node().await;
        assert_eq!(key_set(&other).await, published, "every node has the same");
        other.stop().await;
        let app = app.restart().await;
        assert_eq!(key_set(&app).await, published, "and keeps it");
    }
}

#[tokio::test]
async fn keys_are_published_while_they_verify_and_with_no_secret_half() {
    let (app, active) = Forge::behind(Engine::Sqlite).await;
    let keep = async |byte, state| {
        let forge = Forge::new(byte, &app.setup.master_keys, state);
        assert!(app.store.add_signing_key(&forge.key).await.unwrap());
        forge
    };
    let next = keep(40, KeyState::Next).await;
    let retired = keep(80, KeyState::Retired).await;
    let revoked = keep(120, KeyState::Revoked).await;
    let app = app.restart().await;

    let published = key_set(&app).await;

    let states = published["keys"].as_array().unwrap().iter();
    let states: Vec<_> = states.map(|key| (key["kid"].as_str().unwrap(), key["status"].as_str().unwrap())).collect();
    for (forge, state) in [(&active, "active"), (&next, "next"), (&retired, "retired")] {
        assert!(states.contains(&(forge.key.id.as_str(), state)), "{states:?}");
    }
    assert_eq!(states.len(), 3);
    let text = published.to_string();
    for secret in ["k4.secret", "k4.local", "v4.local", "sealed", revoked.key.id.as_str(), revoked.key.public.as_str()]
    {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
