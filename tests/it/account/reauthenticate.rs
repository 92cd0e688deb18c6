//! Proving once more who one is: by the password alone, for this session alone.

use std::time::Duration;

use countersign::{
    app::Rejection,
    domain::AccessToken,
    proto::{ReauthenticateRequest, ReauthenticateResponse, SignedIn, WhoAmIRequest},
};
use tonic::Status;

use crate::support::{
    PAGE, PASSWORD, TestApp,
    browser::Browser,
    grpc::{login, refresh, summary, with_bearer},
    http::{Http, Version},
    on_both_engines,
};

async fn reauthenticate(app: &TestApp, token: &str, password: &str) -> Result<SignedIn, Status> {
    let request = with_bearer(ReauthenticateRequest { password: password.to_owned() }, token);
    Ok(app.account().await.reauthenticate(request).await?.into_inner().signed_in.unwrap())
}

async fn is_fresh(app: &TestApp, token: &str) -> bool {
    let token = AccessToken::from_text(token.to_owned());
    match app.app.authenticate_fresh(Some(&token)).await {
        Ok(_) => true,
        Err(countersign::app::Error::Rejected(Rejection::StepUpRequired { max_age })) => {
            assert_eq!(max_age, Duration::from_mins(10));
            false
        }
        Err(other) => panic!("{other:?}"),
    }
}

on_both_engines! {
    // A25: freshness is of a proof, and neither a refresh nor a call is one.
    async fn a25_a_proof_grows_old_and_only_a_proof_renews_it(engine) {
        let app = TestApp::spawn(engine).await;
        let mut tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
        assert!(is_fresh(&app, &tokens.access_token).await);
        let mut client = app.client().await;
        for minutes in [4, 4, 4] {
            app.clock.advance(Duration::from_mins(minutes));
            tokens = refresh(&mut client, &tokens.refresh_token).await.unwrap();
        }
        assert!(!is_fresh(&app, &tokens.access_token).await, "twelve minutes after the sign-in");

        let proven = reauthenticate(&app, &tokens.access_token, PASSWORD).await.unwrap();

        let renewed = proven.tokens.unwrap();
        assert!(is_fresh(&app, &renewed.access_token).await);
        assert!(!is_fresh(&app, &tokens.access_token).await, "what was given out before is as old as it was");
        let refreshed = refresh(&mut client, &renewed.refresh_token).await.unwrap();
        assert!(is_fresh(&app, &refreshed.access_token).await);
        app.clock.advance(Duration::from_mins(4));
        let refreshed = refresh(&mut client, &refreshed.refresh_token).await.unwrap();
        app.clock.advance(Duration::from_mins(4));
        let refreshed = refresh(&mut client, &refreshed.refresh_token).await.unwrap();
        app.clock.advance(Duration::from_mins(3));
        let refreshed = refresh(&mut client, &refreshed.refresh_token).await.unwrap();
        assert!(!is_fresh(&app, &refreshed.access_token).await);
    }

    async fn a_proof_from_after_the_present_counts_for_nothing(engine) {
        let app = TestApp::spawn(engine).await;
        let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
        app.clock.set_back(Duration::from_secs(20));
        assert!(is_fresh(&app, &tokens.access_token).await, "clocks differ by a little");
        // An access token is not valid yet then either, so the proof alone is what lies ahead here.
        app.database.execute("UPDATE sessions SET authenticated_at = authenticated_at + 3600000").await;
        let mut client = app.client().await;
        let refreshed = refresh(&mut client, &tokens.refresh_token).await.unwrap();
        assert!(!is_fresh(&app, &refreshed.access_token).await);
    }

    async fn a_wrong_password_changes_nothing(engine) {
        let app = TestApp::spawn(engine).await;
        let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
        let wrong = reauthenticate(&app, &tokens.access_token, "not the password at all").await.unwrap_err();
        assert_eq!(summary(&wrong), "Unauthenticated BAD_CREDENTIALS");
        let empty = reauthenticate(&app, &tokens.access_token, "").await.unwrap_err();
        assert_eq!(summary(&empty), "InvalidArgument INVALID_FIELDS password");
        assert_eq!(app.database.number("SELECT generation FROM sessions").await, 0);
        app.database.execute("UPDATE users SET password_hash = NULL").await;
        let none = reauthenticate(&app, &tokens.access_token, PASSWORD).await.unwrap_err();
        assert_eq!(summary(&none), "Unauthenticated BAD_CREDENTIALS");
        assert!(refresh(&mut app.client().await, &tokens.refresh_token).await.is_ok(), "the session goes on");
    }

    async fn the_session_stays_and_its_earlier_refresh_token_is_replaced(engine) {
        let app = TestApp::spawn(engine).await;
        let before = app.signed_in("ada@example.com").await;
        let other = login(&mut app.client().await, "ada@example.com").await.unwrap();
        let old = before.tokens.clone().unwrap();
        let after = reauthenticate(&app, &old.access_token, PASSWORD).await.unwrap();
        assert_eq!(after.session.as_ref().unwrap().id, before.session.unwrap().id);
        let renewed = after.tokens.unwrap();
        let mut client = app.client().await;
        // A lost answer signs nobody out.
        assert_eq!(refresh(&mut client, &old.refresh_token).await.unwrap().refresh_token, renewed.refresh_token);
        app.clock.advance(Duration::from_mins(11));
        let other = refresh(&mut client, &other.tokens.unwrap().refresh_token).await.unwrap();
        assert!(!is_fresh(&app, &other.access_token).await, "it was this session's proof");
        let reused = refresh(&mut client, &old.refresh_token).await.unwrap_err();
        assert_eq!(summary(&reused), "Unauthenticated SESSION_ENDED");
        let over = refresh(&mut client, &renewed.refresh_token).await.unwrap_err();
        assert_eq!(summary(&over), "Unauthenticated SESSION_ENDED");
    }

    async fn an_ended_session_proves_nothing(engine) {
        let app = TestApp::spawn(engine).await;
        let ada = app.signed_in("ada@example.com").await;
        let other = app.another_node().await;
        assert!(app.app.disable_user(&"ada@example.com".parse().unwrap()).await.unwrap());
        let refusal = reauthenticate(&other, &ada.tokens.unwrap().access_token, PASSWORD).await.unwrap_err();
        assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED");
    }

    // What came by cookie is answered by cookie: scripts get no token, whatever they ask for.
    async fn new_credentials_come_the_way_that_the_old_ones_went(engine) {
        let app = TestApp::spawn(engine).await;
        app.signed_in("ada@example.com").await;
        for version in [Version::Http1, Version::Http2] {
            let mut page = Browser::new(Http { address: app.address, version, tls: None }, PAGE);
            page.login("ada@example.com").await;
            let before = page.jar.clone();
            let request = ReauthenticateRequest { password: PASSWORD.to_owned() };
            let (answer, set) = page.call::<ReauthenticateResponse>("AccountService/Reauthenticate", &request).await;
            assert_eq!(answer.unwrap().signed_in.unwrap().tokens, None, "{version:?}");
            assert_eq!(set.len(), 2, "{version:?}");
            assert!(set.iter().all(|cookie| before[&cookie.name] != cookie.value), "{version:?}");
            let (answer, _) = page.call::<countersign::proto::WhoAmIResponse>("WhoAmI", &WhoAmIRequest {}).await;
            assert!(answer.is_ok(), "{version:?}");
        }
    }
}
