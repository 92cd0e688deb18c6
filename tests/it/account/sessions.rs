//! A person's open sessions: each sees and ends their own, and nobody else's.

use std::time::Duration;

use countersign::proto::{
    ListSessionsRequest, OpenSession, RevokeOtherSessionsRequest, RevokeSessionRequest, SignedIn, WhoAmIRequest,
};
use tonic::Status;

use crate::support::{
    PAGE, TestApp,
    browser::Browser,
    grpc::{login, refresh, summary, with_bearer},
    http::{Http, Version, frame},
    on_both_engines,
    wire::Wire,
};

const UNKNOWN: &str = "0190a8f0-0000-7000-8000-000000000000";

fn token(signed_in: &SignedIn) -> &str {
    &signed_in.tokens.as_ref().unwrap().access_token
}

fn id(signed_in: &SignedIn) -> String {
    signed_in.session.clone().unwrap().id
}

async fn list(app: &TestApp, signed_in: &SignedIn) -> Vec<OpenSession> {
    let request = with_bearer(ListSessionsRequest {}, token(signed_in));
    app.account().await.list_sessions(request).await.unwrap().into_inner().sessions
}

async fn revoke(app: &TestApp, by: &SignedIn, session_id: &str) -> Result<(), Status> {
    let request = with_bearer(RevokeSessionRequest { session_id: session_id.to_owned() }, token(by));
    app.account().await.revoke_session(request).await.map(drop)
}

/// How a session's tokens are answered: the access token and the refresh token.
async fn answers(app: &TestApp, session: &SignedIn) -> [String; 2] {
    let mut client = app.client().await;
    let access = client.who_am_i(with_bearer(WhoAmIRequest {}, token(session))).await.map(drop);
    let refreshed = refresh(&mut client, &session.tokens.as_ref().unwrap().refresh_token).await.map(drop);
    [access, refreshed].map(|answer| answer.map_or_else(|status| summary(&status), |()| "Ok".to_owned()))
}

const ENDED: [&str; 2] = ["Unauthenticated SESSION_ENDED"; 2];

on_both_engines! {
    async fn a_person_sees_their_open_sessions_and_which_is_the_calling_one(engine) {
        let app = TestApp::spawn(engine).await;
        let phone = app.signed_in("ada@example.com").await;
        app.signed_in("eve@example.com").await;
        app.clock.advance(Duration::from_mins(1));
        let mut client = app.client().await;
        let laptop = login(&mut client, "ada@example.com").await.unwrap();
        app.clock.advance(Duration::from_mins(1));
        refresh(&mut client, &phone.tokens.as_ref().unwrap().refresh_token).await.unwrap();

        let sessions = list(&app, &laptop).await;

        let seen: Vec<_> = sessions.iter().map(|open| (open.session.clone().unwrap().id, open.current)).collect();
        assert_eq!(seen, [(id(&phone), false), (id(&laptop), true)], "the last used first");
        let seconds = |moment: Option<prost_types::Timestamp>| moment.unwrap().seconds;
        assert_eq!(seconds(sessions[0].last_used_at) - seconds(sessions[0].opened_at), 120);
        assert_eq!(seconds(sessions[1].last_used_at), seconds(sessions[1].opened_at));
        assert_eq!(sessions[0].address.as_deref(), Some("127.0.0.1"));
        assert!(sessions[0].user_agent.starts_with("tonic/"), "{}", sessions[0].user_agent);
    }

    async fn what_has_expired_is_not_listed_although_nobody_swept_it(engine) {
        let app = TestApp::spawn(engine).await;
        let old = app.signed_in("ada@example.com").await;
        app.clock.advance(Duration::from_hours(8 * 24));
        let new = login(&mut app.client().await, "ada@example.com").await.unwrap();
        let sessions = list(&app, &new).await;
        assert_eq!(sessions.len(), 1);
        assert_ne!(sessions[0].session.clone().unwrap().id, id(&old));
    }

    // A5: deleting a session ends it, at once, on every node, and for good.
    async fn a5_a_revoked_session_is_over_everywhere_at_once(engine) {
        let app = TestApp::spawn(engine).await;
        let lost = app.signed_in("ada@example.com").await;
        let kept = login(&mut app.client().await, "ada@example.com").await.unwrap();
        let other = app.another_node().await;
        assert_eq!(answers(&other, &kept).await[0], "Ok");

        revoke(&app, &kept, &id(&lost)).await.unwrap();

        assert_eq!(answers(&app, &lost).await, ENDED);
        other.app.pull_revocations().await.unwrap();
        assert_eq!(answers(&other, &lost).await, ENDED);
        assert_eq!(list(&app, &kept).await.len(), 1);
        let app = app.restart().await;
        assert_eq!(answers(&app, &lost).await, ENDED);
        assert_eq!(answers(&app, &kept).await[0], "Ok");
        let written = "SELECT COUNT(*) FROM audit_events WHERE kind = 'session_revoked'";
        assert_eq!(app.database.number(written).await, 1);
    }

    // A36: nobody ends, or learns of, a session of somebody else's.
    async fn a36_a_foreign_session_is_answered_as_one_that_never_was(engine) {
        let app = TestApp::spawn(engine).await;
        let (ada, eve) = (app.signed_in("ada@example.com").await, app.signed_in("eve@example.com").await);
        let ended = login(&mut app.client().await, "eve@example.com").await.unwrap();
        revoke(&app, &eve, &id(&ended)).await.unwrap();
        let bearer = format!("Bearer {}", token(&eve));
        for wire in Wire::ALL {
            let answer = async |session_id: String| {
                let request = frame(&RevokeSessionRequest { session_id });
                let headers = [("authorization", bearer.as_str())];
                wire.call(&app, "AccountService/RevokeSession", &request, &headers).await
            };
            let unknown = answer(UNKNOWN.to_owned()).await;
            assert_eq!(unknown.outcome(), "Ok", "{wire:?}");
            assert_eq!(answer(id(&ada)).await.as_told(), unknown.as_told(), "{wire:?}");
            assert_eq!(answer(id(&ended)).await.as_told(), unknown.as_told(), "{wire:?}");
        }
        assert_eq!(answers(&app, &ada).await, ["Ok", "Ok"]);
        let written = "SELECT COUNT(*) FROM audit_events WHERE kind = 'session_revoked'";
        assert_eq!(app.database.number(written).await, 1, "nothing is written in anybody's log either");
        let bad = summary(&revoke(&app, &eve, "ada's").await.unwrap_err());
        assert_eq!(bad, "InvalidArgument INVALID_FIELDS session_id");
    }

    async fn all_others_end_and_the_calling_one_goes_on(engine) {
        let app = TestApp::spawn(engine).await;
        let first = app.signed_in("ada@example.com").await;
        let mut client = app.client().await;
        let second = login(&mut client, "ada@example.com").await.unwrap();
        let kept = login(&mut client, "ada@example.com").await.unwrap();
        let eve = app.signed_in("eve@example.com").await;

        let request = with_bearer(RevokeOtherSessionsRequest {}, token(&kept));
        let ended = app.account().await.revoke_other_sessions(request).await.unwrap().into_inner().ended;

        assert_eq!(ended, 2);
        assert_eq!(answers(&app, &first).await, ENDED);
        assert_eq!(answers(&app, &second).await, ENDED);
        assert_eq!(answers(&app, &kept).await, ["Ok", "Ok"]);
        assert_eq!(answers(&app, &eve).await, ["Ok", "Ok"]);
    }

    // A3: what happened to the account counts at once, also for what only reads.
    async fn a3_a_disabled_persons_calls_are_refused(engine) {
        let app = TestApp::spawn(engine).await;
        let ada = app.signed_in("ada@example.com").await;
        let other = app.another_node().await;
        assert!(app.app.disable_user(&"ada@example.com".parse().unwrap()).await.unwrap());
        // On the node that has not heard of it yet.
        let request = with_bearer(ListSessionsRequest {}, token(&ada));
        let refusal = other.account().await.list_sessions(request).await.unwrap_err();
        assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED");
        let refusal = revoke(&other, &ada, UNKNOWN).await.unwrap_err();
        assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED");
    }

    async fn ending_the_calling_session_clears_its_cookies_and_ending_another_does_not(engine) {
        let app = TestApp::spawn(engine).await;
        let other = app.signed_in("ada@example.com").await;
        let mut page = Browser::new(Http { address: app.address, version: Version::Http2, tls: None }, PAGE);
        let own = id(&page.login("ada@example.com").await);
        for (session_id, cookies) in [(id(&other), 2), (own, 0)] {
            let request = RevokeSessionRequest { session_id };
            let (answer, _) = page.call::<countersign::proto::RevokeSessionResponse>("AccountService/RevokeSession", &request).await;
            answer.unwrap();
            assert_eq!(page.jar.keys().filter(|name| !name.ends_with("device")).count(), cookies);
        }
    }
}
