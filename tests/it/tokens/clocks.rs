//! Thirty seconds between two clocks are nothing, and one second more is too much.

use std::time::Duration;

use countersign::{app::Rejection, clock::Clock as _, proto::WhoAmIRequest};
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    authenticate,
    forge::{Forge, payload, with_claim},
};
use crate::support::{
    Engine, TestApp,
    grpc::{summary, with_bearer},
};

const SECOND: Duration = Duration::from_secs(1);

fn rfc3339(unix_seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(unix_seconds).unwrap().format(&Rfc3339).unwrap()
}

#[tokio::test]
async fn a_token_counts_from_thirty_seconds_before_to_thirty_seconds_after() {
    let (app, forge) = Forge::behind(Engine::Sqlite).await;
    let claims = payload(&app.signed_in("ada@example.com").await.tokens.unwrap().access_token);
    let now = app.clock.now().unix_seconds();
    let with = |name, at| forge.sign(&with_claim(&claims, name, json!(rfc3339(at))), &forge.footer());
    for (seconds, expected) in [(29, Ok(())), (30, Ok(())), (31, Err(Rejection::TokenInvalid))] {
        assert_eq!(authenticate(&app.app, &with("nbf", now + seconds)).await, expected, "begins in {seconds} s");
    }
    for (seconds, expected) in [(29, Ok(())), (30, Err(Rejection::TokenExpired)), (31, Err(Rejection::TokenExpired))] {
        assert_eq!(authenticate(&app.app, &with("exp", now - seconds)).await, expected, "ended {seconds} s ago");
    }
    // Between two whole seconds the clock's own count.
    app.clock.advance(Duration::from_millis(999));
    assert_eq!(authenticate(&app.app, &with("exp", now - 29)).await, Ok(()));
    assert_eq!(authenticate(&app.app, &with("nbf", now + 31)).await, Err(Rejection::TokenInvalid));
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(authenticate(&app.app, &with("exp", now - 29)).await, Err(Rejection::TokenExpired));
    assert_eq!(authenticate(&app.app, &with("nbf", now + 31)).await, Ok(()));
}

#[tokio::test]
async fn a_real_token_lives_for_its_time_and_thirty_seconds() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let mut client = app.client().await;
    let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
    let begins = app.clock.now().unix_seconds();
    let lives = u64::try_from(tokens.access_expires_at.unwrap().seconds - begins).unwrap();
    assert!((285..=300).contains(&lives), "five minutes, less up to 5 %: {lives}");
    let mut who_am_i = async || {
        let answer = client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await;
        answer.map(drop).map_err(|status| summary(&status))
    };
    app.clock.advance(Duration::from_secs(lives) + 29 * SECOND);
    assert_eq!(who_am_i().await, Ok(()));
    app.clock.advance(SECOND);
    assert_eq!(who_am_i().await, Err("Unauthenticated TOKEN_EXPIRED".to_owned()));
    app.clock.set_back(Duration::from_secs(lives) + 30 * SECOND);
    assert_eq!(who_am_i().await, Ok(()));
    app.clock.set_back(30 * SECOND);
    assert_eq!(who_am_i().await, Ok(()));
    app.clock.set_back(SECOND);
    assert_eq!(who_am_i().await, Err("Unauthenticated TOKEN_INVALID".to_owned()), "not yet");
}

#[tokio::test]
async fn no_clock_makes_a_token_panic() {
    let (app, forge) = Forge::behind(Engine::Sqlite).await;
    let claims = payload(&app.signed_in("ada@example.com").await.tokens.unwrap().access_token);
    for moment in [
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00Z",
        "2038-01-19T03:14:08Z",
        "9999-12-31T23:59:59Z",
        "2027-01-15T08:00:00+23:59",
        "2027-01-15T08:00:60Z",
        "2027-01-15T08:00:00.999999999Z",
    ] {
        for name in ["iat", "nbf", "exp", "auth_time"] {
            let token = forge.sign(&with_claim(&claims, name, json!(moment)), &forge.footer());
            // Whichever it is: no such token is made, and every one is answered.
            let _ = authenticate(&app.app, &token).await;
        }
    }
    for years in [10, 1_000, 100_000_000] {
        app.clock.advance(Duration::from_hours(24 * 365 * years));
        assert_eq!(authenticate(&app.app, &forge.sign(&claims, &forge.footer())).await, Err(Rejection::TokenExpired));
    }
}
