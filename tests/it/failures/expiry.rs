//! What has expired is refused when it is used, whether or not anybody cleans up, and whatever the clock does next.

use std::time::Duration;

use countersign::proto::{LogoutRequest, Tokens, WhoAmIRequest};

use crate::support::{
    TestApp,
    grpc::{Client, login, refresh, summary, with_bearer},
    on_both_engines,
};

const ENDED: &str = "Unauthenticated SESSION_ENDED";
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);
const ALMOST_A_DAY: Duration = Duration::from_secs(24 * 3_600 - 1);

async fn who_am_i(client: &mut Client, tokens: &Tokens) -> Result<(), String> {
    let answer = client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await;
    answer.map(drop).map_err(|status| summary(&status))
}

async fn refused(client: &mut Client, refresh_token: &str) -> String {
    summary(&refresh(client, refresh_token).await.unwrap_err())
}

on_both_engines! {
    async fn a_session_that_nobody_refreshed_is_over(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        let late = app.signed_in("ada@example.com").await.tokens.unwrap();
        let early = login(&mut client, "ada@example.com").await.unwrap().tokens.unwrap();
        app.clock.advance(6 * DAY + ALMOST_A_DAY);
        let early = refresh(&mut client, &early.refresh_token).await.unwrap();
        app.clock.advance(SECOND);
        assert_eq!(refused(&mut client, &late.refresh_token).await, ENDED);
        app.clock.advance(6 * DAY);
        assert!(refresh(&mut client, &early.refresh_token).await.is_ok(), "seven days from the last refresh");
    }

    async fn a_session_is_over_after_thirty_days_however_often_it_was_refreshed(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        let mut tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
        for _ in 0..29 {
            app.clock.advance(DAY);
            tokens = refresh(&mut client, &tokens.refresh_token).await.unwrap();
        }
        app.clock.advance(ALMOST_A_DAY);
        tokens = refresh(&mut client, &tokens.refresh_token).await.unwrap();
        assert_eq!(tokens.access_expires_at, tokens.refresh_expires_at, "no token outlives its session");
        assert_eq!(who_am_i(&mut client, &tokens).await, Ok(()));
        app.clock.advance(SECOND);
        assert_eq!(refused(&mut client, &tokens.refresh_token).await, ENDED);
        assert_eq!(who_am_i(&mut client, &tokens).await, Err(ENDED.to_owned()), "though known by heart");
    }

    async fn an_access_token_is_good_for_no_longer_than_its_session(engine) {
        let app = TestApp::with(engine, |setup| setup.policy.sessions.idle = Duration::from_mins(1)).await;
        let mut client = app.client().await;
        let first = app.signed_in("ada@example.com").await.tokens.unwrap();
        assert_eq!(first.access_expires_at, first.refresh_expires_at);
        app.clock.advance(Duration::from_mins(1));
        assert_eq!(who_am_i(&mut client, &first).await, Err(ENDED.to_owned()), "not even for the leeway of clocks");

        let first = login(&mut client, "ada@example.com").await.unwrap().tokens.unwrap();
        app.clock.advance(30 * SECOND);
        let second = refresh(&mut client, &first.refresh_token).await.unwrap();
        app.clock.advance(45 * SECOND);
        assert_eq!(who_am_i(&mut client, &first).await, Ok(()), "its session goes on");
        app.clock.advance(20 * SECOND);
        assert_eq!(who_am_i(&mut client, &first).await, Err("Unauthenticated TOKEN_EXPIRED".to_owned()));
        assert_eq!(who_am_i(&mut client, &second).await, Err(ENDED.to_owned()));
    }

    async fn a_session_is_over_in_time_also_while_the_database_is_away(engine) {
        let app = TestApp::with(engine, |setup| {
            setup.policy.sessions.idle = 60 * SECOND;
            setup.policy.sessions.absolute = 60 * SECOND;
        })
        .await;
        let mut client = app.client().await;
        let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
        assert_eq!(who_am_i(&mut client, &tokens).await, Ok(()));
        app.store.close().await.unwrap();
        app.clock.advance(59 * SECOND);
        assert_eq!(who_am_i(&mut client, &tokens).await, Ok(()), "what was last known");
        app.clock.advance(SECOND);
        assert_eq!(who_am_i(&mut client, &tokens).await, Err(ENDED.to_owned()));
    }

    async fn what_was_refused_as_expired_stays_refused_when_the_clock_is_set_back(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
        app.clock.advance(7 * DAY);
        assert_eq!(refused(&mut client, &tokens.refresh_token).await, ENDED);
        app.clock.set_back(6 * DAY);
        assert_eq!(refused(&mut client, &tokens.refresh_token).await, ENDED);
        assert_eq!(app.database.text("SELECT end_reason FROM sessions").await.as_deref(), Some("expired"));
        let app = app.restart().await;
        assert_eq!(refused(&mut app.client().await, &tokens.refresh_token).await, ENDED);
    }

    async fn a_replaced_token_does_not_become_good_again_when_the_clock_is_set_back(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        let first = app.signed_in("ada@example.com").await.tokens.unwrap().refresh_token;
        app.clock.advance(DAY);
        let second = refresh(&mut client, &first).await.unwrap().refresh_token;
        app.clock.advance(11 * SECOND);
        assert_eq!(refused(&mut client, &first).await, ENDED, "used again: the session ends");
        app.clock.set_back(5 * SECOND);
        for token in [&first, &second] {
            assert_eq!(refused(&mut client, token).await, ENDED);
        }

        let first = login(&mut client, "ada@example.com").await.unwrap().tokens.unwrap().refresh_token;
        refresh(&mut client, &first).await.unwrap();
        app.clock.set_back(DAY);
        assert_eq!(refused(&mut client, &first).await, ENDED, "it was not replaced in the last ten seconds");
    }

    async fn who_somebody_is_does_not_stay_as_it_was_when_the_clock_is_set_back(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
        app.clock.advance(Duration::from_mins(1));
        assert_eq!(who_am_i(&mut client, &tokens).await, Ok(()));
        app.clock.set_back(Duration::from_mins(1));
        app.database.execute("UPDATE users SET epoch = epoch + 1").await;
        app.clock.advance(31 * SECOND);
        assert_eq!(who_am_i(&mut client, &tokens).await, Err(ENDED.to_owned()));
    }

    async fn what_was_ended_stays_ended_when_the_clock_is_set_back(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
        app.clock.advance(Duration::from_mins(2));
        client.logout(with_bearer(LogoutRequest::default(), &tokens.access_token)).await.unwrap();
        app.clock.set_back(Duration::from_mins(1));
        let app = app.restart().await;
        let mut client = app.client().await;
        assert_eq!(who_am_i(&mut client, &tokens).await, Err(ENDED.to_owned()));
        assert_eq!(refused(&mut client, &tokens.refresh_token).await, ENDED);
    }
}
