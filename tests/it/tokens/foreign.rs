//! Whoever verifies our tokens need not run our code: another implementation, in another language, reads all that we promise.

use std::process::Stdio;

use countersign::{
    app::{CreateUser, UserCreation},
    domain::{KeyState, NewPassword},
    proto::SignedIn,
};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::{io::AsyncWriteExt as _, process::Command};

use super::{forge::Forge, published::key_set};
use crate::support::{
    Engine, PASSWORD, TestApp,
    grpc::{login, refresh},
    process::in_time,
};

/// What pyseto reads in a token, or why it does not.
async fn verified(public_key: &str, token: &str) -> Result<Value, String> {
    let root = env!("CARGO_MANIFEST_DIR");
    let python = format!("{root}/.tools/bin/python");
    let mut child = Command::new(&python)
        .args([&format!("{root}/tests/verify-token.py"), public_key])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{python}: {error}; `make tools` installs it, and `make test` does so by itself")
        });
    child.stdin.take().unwrap().write_all(token.as_bytes()).await.unwrap();
    let output = in_time(child.wait_with_output()).await.unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    if output.status.success() {
        return Ok(serde_json::from_slice(&output.stdout).unwrap());
    }
    assert!(stderr.starts_with("not verified: "), "{stderr}");
    Err(stderr)
}

/// Somebody with roles, signed in.
async fn editor(app: &TestApp) -> SignedIn {
    let command = CreateUser {
        email: "ada@example.com".parse().unwrap(),
        password: NewPassword::parse(PASSWORD, app.app.password_policy()).unwrap(),
        display_name: "Ada".parse().unwrap(),
        roles: ["reader", "admin", "reader"].map(|role| role.parse().unwrap()).to_vec(),
        verified: true,
    };
    assert!(matches!(app.app.create_user(command).await.unwrap(), UserCreation::Created(_)));
    login(&mut app.client().await, "ada@example.com").await.unwrap()
}

fn rfc3339(moment: Option<prost_types::Timestamp>) -> String {
    OffsetDateTime::from_unix_timestamp(moment.unwrap().seconds).unwrap().format(&Rfc3339).unwrap()
}

#[tokio::test]
async fn another_implementation_reads_every_claim() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let signed_in = editor(&app).await;
    let (session, tokens) = (signed_in.session.unwrap(), signed_in.tokens.unwrap());
    let key = key_set(&app).await["keys"][0].clone();
    let public_key = key["key"].as_str().unwrap();

    let read = verified(public_key, &tokens.access_token).await.unwrap();

    let claims = json!({
        "iss": "https://auth.example.com",
        "aud": "countersign",
        "sub": signed_in.user.unwrap().id,
        "sid": session.id,
        "uep": 0,
        "jti": read["payload"]["jti"],
        "iat": "2027-01-15T08:00:00Z",
        "nbf": "2027-01-15T08:00:00Z",
        "exp": rfc3339(tokens.access_expires_at),
        "typ": "access",
        "roles": ["admin", "reader"],
        "auth_time": "2027-01-15T08:00:00Z",
        "amr": ["pwd"],
        "aal": 1,
    });
    assert_eq!(read, json!({ "payload": claims, "footer": { "kid": key["kid"] } }), "these claims and no others");
    let id: countersign::domain::TokenId = read["payload"]["jti"].as_str().unwrap().parse().unwrap();
    assert_ne!(id.to_string(), session.id);

    // A refresh renews the token, not the proof of who they are.
    app.clock.advance(std::time::Duration::from_mins(3));
    let renewed = refresh(&mut app.client().await, &tokens.refresh_token).await.unwrap();
    let again = verified(public_key, &renewed.access_token).await.unwrap();
    let changed = |name: &str| again["payload"][name] != read["payload"][name];
    let names = read["payload"].as_object().unwrap().keys();
    let changed: Vec<_> = names.filter(|name| changed(name)).map(String::as_str).collect();
    assert_eq!(changed, ["exp", "iat", "jti", "nbf"]);
    assert_eq!(again["payload"]["iat"], json!("2027-01-15T08:03:00Z"));
    assert_eq!(again["payload"]["exp"], json!(rfc3339(renewed.access_expires_at)));
}

#[tokio::test]
async fn another_implementation_refuses_what_we_did_not_sign() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let token = app.signed_in("ada@example.com").await.tokens.unwrap().access_token;
    let public_key = key_set(&app).await["keys"][0]["key"].as_str().unwrap().to_owned();
    let other = Forge::new(99, &app.setup.master_keys, KeyState::Active);
    assert!(verified(&public_key, &token).await.is_ok());
    assert!(verified(&other.key.public, &token).await.is_err(), "under another key");
    let changed = token.replacen("v4.public.e", "v4.public.f", 1);
    assert_ne!(changed, token);
    assert!(verified(&public_key, &changed).await.is_err());
}
