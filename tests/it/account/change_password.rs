//! Replacing a password by somebody who knows it: this device goes on, and nothing else that had the account open does.

use countersign::proto::{
    ChangePasswordRequest, ChangePasswordResponse, LoginRequest, SignedIn, WhoAmIRequest, WhoAmIResponse,
};
use tonic::Status;

use crate::support::{
    PAGE, PASSWORD, TestApp,
    browser::Browser,
    codes::{CHANGED, CONFIRM, NEW_PASSWORD},
    grpc::{login, login_request, refresh, summary, with_bearer},
    http::{Http, Version},
    on_both_engines,
};

fn request(current: &str, new: &str) -> ChangePasswordRequest {
    ChangePasswordRequest { current_password: current.to_owned(), new_password: new.to_owned(), device_token: None }
}

async fn change(app: &TestApp, by: &SignedIn, current: &str, new: &str) -> Result<SignedIn, Status> {
    let token = &by.tokens.as_ref().unwrap().access_token;
    let answer = app.account().await.change_password(with_bearer(request(current, new), token)).await?;
    Ok(answer.into_inner().signed_in.unwrap())
}

async fn login_with(app: &TestApp, password: &str) -> String {
    let request = LoginRequest { password: password.to_owned(), ..login_request("ada@example.com") };
    app.client().await.login(request).await.map_or_else(|status| summary(&status), |_| "Ok".to_owned())
}

on_both_engines! {
    // A4: every old credential is tried afterwards, on every node.
    async fn a4_a_change_ends_every_session_but_the_one_that_takes_the_callers_place(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        let mut sessions = vec![app.signed_in("ada@example.com").await];
        for _ in 0..4 {
            sessions.push(login(&mut client, "ada@example.com").await.unwrap());
        }
        let verification = app.mailed("ada@example.com", CONFIRM).await;
        let reset = app.reset("ada@example.com").await;
        let other = app.another_node().await;

        let kept = change(&app, &sessions[2], PASSWORD, NEW_PASSWORD).await.unwrap();

        other.app.pull_revocations().await.unwrap();
        for node in [&app, &other] {
            let mut client = node.client().await;
            for session in &sessions {
                let tokens = session.tokens.clone().unwrap();
                let refusal = client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await.unwrap_err();
                assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED");
                let refusal = refresh(&mut client, &tokens.refresh_token).await.unwrap_err();
                assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED");
            }
            let refusal = client.verify_email(verification.verify_by_token()).await.unwrap_err();
            assert_eq!(summary(&refusal), "FailedPrecondition CODE_INVALID");
            let refusal = client.reset_password(reset.reset_by_digits(PASSWORD)).await.unwrap_err();
            assert_eq!(summary(&refusal), "FailedPrecondition CODE_INVALID");
            let tokens = kept.tokens.clone().unwrap();
            assert!(client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await.is_ok());
        }
        assert_ne!(kept.session.unwrap().id, sessions[2].session.clone().unwrap().id, "nothing copied before is of it");
        assert!(refresh(&mut client, &kept.tokens.unwrap().refresh_token).await.is_ok());
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").await, 1);
        assert_eq!(login_with(&app, PASSWORD).await, "Unauthenticated BAD_CREDENTIALS");
        assert_eq!(login_with(&app, NEW_PASSWORD).await, "Ok");
        assert!(app.letters().await.contains(&format!("ada@example.com: {CHANGED}")));
    }

    async fn without_the_present_password_nothing_changes(engine) {
        let app = TestApp::spawn(engine).await;
        let ada = app.signed_in("ada@example.com").await;
        let refusal = async |current: &str, new: &str| summary(&change(&app, &ada, current, new).await.unwrap_err());
        assert_eq!(refusal("not the password at all", NEW_PASSWORD).await, "Unauthenticated BAD_CREDENTIALS");
        assert_eq!(refusal(PASSWORD, "short").await, "InvalidArgument WEAK_PASSWORD new_password");
        assert_eq!(refusal("", "short").await, "InvalidArgument INVALID_FIELDS current_password,new_password");
        assert_eq!(login_with(&app, PASSWORD).await, "Ok");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NOT NULL").await, 0);
        assert!(!app.letters().await.contains(&format!("ada@example.com: {CHANGED}")));
    }

    // Whoever is second finds that the password is not what was checked.
    async fn of_two_changes_at_once_one_is_made(engine) {
        let app = TestApp::spawn(engine).await;
        app.signed_in("ada@example.com").await;
        for round in 0..10 {
            let current = if round == 0 { PASSWORD.to_owned() } else { format!("{NEW_PASSWORD} {}", round - 1) };
            let mut client = app.client().await;
            let with = LoginRequest { password: current.clone(), ..login_request("ada@example.com") };
            let mut sessions = Vec::new();
            for _ in 0..2 {
                let answer = client.login(with.clone()).await.unwrap().into_inner();
                let Some(countersign::proto::login_response::Outcome::SignedIn(session)) = answer.outcome else { panic!("in") };
                sessions.push(session);
            }
            let (one, two) = (format!("{NEW_PASSWORD} {round}"), format!("{NEW_PASSWORD} x{round}"));
            let (first, second) =
                tokio::join!(change(&app, &sessions[0], &current, &one), change(&app, &sessions[1], &current, &two));
            assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
            let (kept, lost) = if first.is_ok() { (&one, second) } else { (&two, first) };
            let refusal = summary(&lost.unwrap_err());
            assert!(["Unauthenticated SESSION_ENDED", "Unauthenticated BAD_CREDENTIALS"].contains(&refusal.as_str()), "{refusal}");
            assert_eq!(login_with(&app, kept).await, "Ok");
            if *kept == two {
                let ended = change(&app, &second_of(&app, &two).await, &two, &one).await;
                assert!(ended.is_ok());
            }
        }
    }

    async fn a_page_gets_its_new_cookies_and_no_token(engine) {
        let app = TestApp::spawn(engine).await;
        app.signed_in("ada@example.com").await;
        let mut page = Browser::new(Http { address: app.address, version: Version::Http2, tls: None }, PAGE);
        page.login("ada@example.com").await;
        let old = page.clone();
        let (answer, set) =
            page.call::<ChangePasswordResponse>("AccountService/ChangePassword", &request(PASSWORD, NEW_PASSWORD)).await;
        assert_eq!(answer.unwrap().signed_in.unwrap().tokens, None);
        assert_eq!(set.len(), 2);
        assert_ne!(page.device.as_ref().unwrap().value, old.device.as_ref().unwrap().value);
        assert!(page.call::<WhoAmIResponse>("WhoAmI", &WhoAmIRequest {}).await.0.is_ok());
        let mut old = old;
        let (answer, set) = old.call::<WhoAmIResponse>("WhoAmI", &WhoAmIRequest {}).await;
        assert_eq!(summary(&answer.unwrap_err()), "Unauthenticated SESSION_ENDED");
        assert!(set.len() == 2 && set.iter().all(|cookie| cookie.attributes.contains("Max-Age=0")), "{set:?}");
    }
}

async fn second_of(app: &TestApp, password: &str) -> SignedIn {
    let request = LoginRequest { password: password.to_owned(), ..login_request("ada@example.com") };
    let answer = app.client().await.login(request).await.unwrap().into_inner();
    let Some(countersign::proto::login_response::Outcome::SignedIn(session)) = answer.outcome else {
        panic!("signed in")
    };
    session
}
