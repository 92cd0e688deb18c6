//! The end of an account: announced, taken back by signing in, and in the end complete.

use std::{collections::BTreeSet, time::Duration};

use countersign::proto::{
    DeleteAccountRequest, DeleteAccountResponse, ExportAccountRequest, SignedIn, UpdateProfileRequest, WhoAmIRequest,
};

use crate::support::{
    Database, Engine, PAGE, TestApp,
    browser::Browser,
    codes::{CONFIRM, NEW_PASSWORD},
    grpc::{login, refresh, sign_up, summary, with_bearer},
    http::{Http, Version},
    on_both_engines,
};

const GRACE: Duration = Duration::from_hours(7 * 24);
const FAREWELL: &str = "ada@example.com: Your account was deleted";

async fn delete(app: &TestApp, by: &SignedIn) -> DeleteAccountResponse {
    let request = with_bearer(DeleteAccountRequest {}, &by.tokens.as_ref().unwrap().access_token);
    app.account().await.delete_account(request).await.unwrap().into_inner()
}

async fn refused(app: &TestApp, session: &SignedIn, why: &str) {
    let tokens = session.tokens.clone().unwrap();
    let mut client = app.client().await;
    let refusal = client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await.unwrap_err();
    assert!(["Unauthenticated SESSION_ENDED", "Unauthenticated TOKEN_EXPIRED"].contains(&summary(&refusal).as_str()));
    assert_eq!(summary(&refresh(&mut client, &tokens.refresh_token).await.unwrap_err()), why);
}

/// Every place where something of a person's could be, and how many rows each has.
async fn rows(database: &Database) -> Vec<(&'static str, i64)> {
    let mut counts = Vec::new();
    for table in ["users", "sessions", "codes", "devices", "user_metadata", "outbox"] {
        counts.push((table, database.number(&format!("SELECT COUNT(*) FROM {table}")).await));
    }
    counts
}

on_both_engines! {
    async fn it_is_announced_ends_every_session_and_comes_in_time(engine) {
        let app = TestApp::spawn(engine).await;
        let ada = app.signed_in("ada@example.com").await;
        let other = login(&mut app.client().await, "ada@example.com").await.unwrap();
        let eve = app.signed_in("eve@example.com").await;
        let reset = app.reset("ada@example.com").await;

        let deletes_at = delete(&app, &ada).await.deletes_at.unwrap();

        assert_eq!(deletes_at.seconds, 1_800_000_000 + i64::try_from(GRACE.as_secs()).unwrap());
        for session in [&ada, &other] {
            refused(&app, session, "Unauthenticated SESSION_ENDED").await;
        }
        let refusal = app.client().await.reset_password(reset.reset_by_token(NEW_PASSWORD)).await.unwrap_err();
        assert_eq!(summary(&refusal), "FailedPrecondition CODE_INVALID");
        assert!(app.letters().await.contains(&"ada@example.com: Your account will be deleted".to_owned()));
        app.clock.advance(GRACE.checked_sub(Duration::from_millis(1)).unwrap());
        app.app.sweep_accounts().await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users").await, 2);
        app.clock.advance(Duration::from_millis(1));
        app.app.sweep_accounts().await.unwrap();
        assert_eq!(app.database.text("SELECT email FROM users").await.as_deref(), Some("eve@example.com"));
        assert!(app.letters().await.contains(&FAREWELL.to_owned()));
        refused(&app, &ada, "Unauthenticated TOKEN_INVALID").await;
        let kept = "SELECT COUNT(*) FROM sessions";
        assert_eq!(app.database.number(kept).await, 1, "eve's");
        drop(eve);
    }

    async fn signing_in_keeps_it_and_nothing_else_does(engine) {
        let app = TestApp::spawn(engine).await;
        let ada = app.signed_in("ada@example.com").await;
        delete(&app, &ada).await;
        let scheduled = "SELECT COUNT(*) FROM users WHERE delete_after IS NOT NULL";
        let mut client = app.client().await;
        sign_up(&mut client, "ada@example.com").await;
        let reset = app.reset("ada@example.com").await;
        client.reset_password(reset.reset_by_token(crate::support::PASSWORD)).await.unwrap();
        assert_eq!(app.database.number(scheduled).await, 1);
        app.clock.advance(GRACE.checked_sub(Duration::from_secs(1)).unwrap());
        login(&mut client, "ada@example.com").await.unwrap();
        assert_eq!(app.database.number(scheduled).await, 0);
        let written = "SELECT COUNT(*) FROM audit_events WHERE kind = 'deletion_cancelled'";
        assert_eq!(app.database.number(written).await, 1);
        app.clock.advance(GRACE);
        app.app.sweep_accounts().await.unwrap();
        assert!(login(&mut client, "ada@example.com").await.is_ok());
        assert!(!app.letters().await.contains(&FAREWELL.to_owned()));
    }

    // A sign-in between the look and the deletion wins; one after it finds nobody.
    async fn a_sign_in_and_the_sweep_at_once_leave_no_half_state(engine) {
        let app = TestApp::spawn(engine).await;
        for round in 0..15 {
            let email = format!("ada{round}@example.com");
            let ada = app.signed_in(&email).await;
            delete(&app, &ada).await;
            app.clock.advance(GRACE);
            let mut client = app.client().await;
            let (signed_in, swept) = tokio::join!(login(&mut client, &email), app.app.sweep_accounts());
            swept.unwrap();
            let there = app.database.number(&format!("SELECT COUNT(*) FROM users WHERE email = '{email}'")).await;
            match signed_in {
                Ok(session) => {
                    assert_eq!(there, 1);
                    let tokens = session.tokens.unwrap();
                    assert!(refresh(&mut client, &tokens.refresh_token).await.is_ok());
                }
                Err(refusal) => {
                    assert_eq!(summary(&refusal), "Unauthenticated BAD_CREDENTIALS");
                    assert_eq!(there, 0);
                }
            }
        }
    }

    async fn nothing_of_the_person_is_left_but_what_happened(engine) {
        let app = TestApp::spawn(engine).await;
        let ada = app.signed_in("ada@example.com").await;
        let entries = [("team".to_owned(), "blue".to_owned())].into();
        let metadata = Some(countersign::proto::Metadata { entries });
        let update = UpdateProfileRequest { metadata, ..UpdateProfileRequest::default() };
        let token = ada.tokens.clone().unwrap().access_token;
        app.account().await.update_profile(with_bearer(update, &token)).await.unwrap();
        app.deliver().await;
        assert!(rows(&app.database).await.iter().all(|(table, count)| *count == i64::from(*table != "outbox")));
        delete(&app, &ada).await;
        app.clock.advance(GRACE);
        // What could not leave in time does not arrive after the last letter.
        app.app.resend_verification("ada@example.com".parse().unwrap()).await.unwrap();
        app.app.sweep_accounts().await.unwrap();
        app.deliver().await;
        assert_eq!(rows(&app.database).await.iter().map(|(_, count)| count).sum::<i64>(), 0);
        assert_eq!(app.letters().await.last().unwrap(), FAREWELL);
        let traces = "SELECT COUNT(*) FROM audit_events WHERE address IS NOT NULL OR user_agent <> ''";
        assert_eq!(app.database.number(traces).await, 0);
        assert!(app.database.number("SELECT COUNT(*) FROM audit_events").await >= 5);
        assert_eq!(app.database.text("SELECT kind FROM audit_events ORDER BY id DESC").await.unwrap(), "user_deleted");
    }

    // A23: who takes an address that somebody had gets nothing of theirs.
    async fn a23_whoever_takes_the_address_gets_nothing_of_the_one_before(engine) {
        let app = TestApp::spawn(engine).await;
        let first = app.signed_in("ada@example.com").await;
        let verification = app.mailed("ada@example.com", CONFIRM).await;
        let reset = app.reset("ada@example.com").await;
        let device_token = first.tokens.clone().unwrap().device_token;
        delete(&app, &first).await;
        app.clock.advance(GRACE);
        app.app.sweep_accounts().await.unwrap();

        let second = app.signed_in("ada@example.com").await;

        assert_ne!(first.user.clone().unwrap().id, second.user.unwrap().id, "another person");
        refused(&app, &first, "Unauthenticated TOKEN_INVALID").await;
        let mut client = app.client().await;
        let refusal = client.verify_email(verification.verify_by_token()).await.unwrap_err();
        assert_eq!(summary(&refusal), "FailedPrecondition CODE_INVALID");
        for request in [reset.reset_by_token(NEW_PASSWORD), reset.reset_by_digits(NEW_PASSWORD)] {
            let refusal = client.reset_password(request).await.unwrap_err();
            assert_eq!(summary(&refusal), "FailedPrecondition CODE_INVALID");
        }
        let token = second.tokens.unwrap().access_token;
        let export = app.account().await.export_account(with_bearer(ExportAccountRequest {}, &token)).await.unwrap();
        let export: serde_json::Value = serde_json::from_str(&export.into_inner().json).unwrap();
        let kinds: Vec<_> = export["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
        let kinds: BTreeSet<_> = kinds.into_iter().collect();
        assert_eq!(kinds, ["account_exported", "code_tried", "signed_in", "signed_up"].into(), "their own past alone");
        let known = countersign::proto::LoginRequest { device_token, ..crate::support::grpc::login_request("ada@example.com") };
        client.login(known).await.unwrap();
        assert!(app.letters().await.contains(&"ada@example.com: A new device signed in".to_owned()), "not known from before");
    }
}

#[tokio::test]
async fn a_page_loses_its_cookies_with_the_account() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    app.signed_in("ada@example.com").await;
    let mut page = Browser::new(Http { address: app.address, version: Version::Http2, tls: None }, PAGE);
    page.login("ada@example.com").await;
    let (answer, _) =
        page.call::<DeleteAccountResponse>("AccountService/DeleteAccount", &DeleteAccountRequest {}).await;
    assert!(answer.unwrap().deletes_at.is_some());
    assert!(page.jar.is_empty());
}
