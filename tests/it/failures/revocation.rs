//! What was revoked is refused at once, on every node, and for ever.

use std::time::Duration;

use countersign::{
    app::{Error, Login, Rejection},
    domain::{AccessToken, Device, Password},
    proto::{LogoutRequest, Tokens, WhoAmIRequest},
};

use crate::support::{
    PASSWORD, TestApp,
    grpc::{Client, login, refresh, sign_up, summary, with_bearer},
    on_both_engines,
};

const ENDED: &str = "Unauthenticated SESSION_ENDED";

async fn who_am_i(client: &mut Client, tokens: &Tokens) -> Result<String, String> {
    let answer = client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await;
    answer.map(|answer| answer.into_inner().user.unwrap().email).map_err(|status| summary(&status))
}

/// Neither of the tokens is good for anything but being signed out again.
async fn expect_ended(client: &mut Client, tokens: &Tokens) {
    assert_eq!(who_am_i(client, tokens).await, Err(ENDED.to_owned()));
    assert_eq!(summary(&refresh(client, &tokens.refresh_token).await.unwrap_err()), ENDED);
    let everywhere = with_bearer(LogoutRequest { everywhere: true }, &tokens.access_token);
    assert_eq!(summary(&client.logout(everywhere).await.unwrap_err()), ENDED);
    client.logout(with_bearer(LogoutRequest::default(), &tokens.access_token)).await.unwrap();
}

async fn reasons(app: &TestApp) -> Vec<String> {
    let mut reasons = Vec::new();
    for reason in ["signed_out", "revoked", "token_reuse", "user_disabled", "displaced"] {
        let sql = format!("SELECT COUNT(*) FROM sessions WHERE end_reason = '{reason}'");
        reasons.push(format!("{reason} {}", app.database.number(&sql).await));
    }
    reasons
}

/// Sessions that were ended, one in each way that there is.
async fn ended_sessions(app: &TestApp, client: &mut Client) -> Vec<Tokens> {
    let mut ended = Vec::new();

    let signed_out = app.signed_in("ada@example.com").await.tokens.unwrap();
    client.logout(with_bearer(LogoutRequest::default(), &signed_out.access_token)).await.unwrap();
    ended.push(signed_out);

    let revoked = app.signed_in("bob@example.com").await.tokens.unwrap();
    let everywhere = login(client, "bob@example.com").await.unwrap().tokens.unwrap();
    client.logout(with_bearer(LogoutRequest { everywhere: true }, &everywhere.access_token)).await.unwrap();
    ended.extend([revoked, everywhere]);

    let disabled = app.signed_in("cyd@example.com").await.tokens.unwrap();
    assert!(app.app.disable_user(&"cyd@example.com".parse().unwrap()).await.unwrap());
    ended.push(disabled);

    let displaced = app.signed_in("dan@example.com").await.tokens.unwrap();
    app.clock.advance(Duration::from_secs(1));
    login(client, "dan@example.com").await.unwrap();
    login(client, "dan@example.com").await.unwrap();
    ended.push(displaced);

    let first = app.signed_in("eve@example.com").await.tokens.unwrap();
    let reused = refresh(client, &first.refresh_token).await.unwrap();
    app.clock.advance(Duration::from_secs(11));
    assert_eq!(summary(&refresh(client, &first.refresh_token).await.unwrap_err()), ENDED);
    ended.push(reused);
    ended
}

on_both_engines! {
    async fn what_was_revoked_stays_revoked_on_every_node_and_after_restarts(engine) {
        let app = TestApp::with(engine, |setup| setup.policy.max_sessions_per_user = 2).await;
        let mut client = app.client().await;
        let ended = ended_sessions(&app, &mut client).await;
        let expected = ["signed_out 1", "revoked 2", "token_reuse 1", "user_disabled 1", "displaced 1"];
        assert_eq!(reasons(&app).await, expected);

        let other = app.another_node().await;
        for node in [&app, &other] {
            let mut client = node.client().await;
            for tokens in &ended {
                expect_ended(&mut client, tokens).await;
            }
        }
        other.stop().await;
        let app = app.restart().await;
        for tokens in &ended {
            expect_ended(&mut app.client().await, tokens).await;
        }
        assert!(app.app.enable_user(&"cyd@example.com".parse().unwrap()).await.unwrap());
        expect_ended(&mut app.client().await, &ended[3]).await;
        assert_eq!(reasons(&app).await, expected, "and nothing ends twice");
        assert!(login(&mut app.client().await, "cyd@example.com").await.is_ok());
    }

    async fn a_node_learns_what_another_ended_although_it_knew_the_session_by_heart(engine) {
        let here = TestApp::spawn(engine).await;
        let there = here.another_node().await;
        let (mut client, mut other) = (here.client().await, there.client().await);
        let leaving = here.signed_in("ada@example.com").await.tokens.unwrap();
        let disabled = here.signed_in("eve@example.com").await.tokens.unwrap();
        for (tokens, email) in [(&leaving, "ada@example.com"), (&disabled, "eve@example.com")] {
            assert_eq!(who_am_i(&mut other, tokens).await.as_deref(), Ok(email));
        }

        client.logout(with_bearer(LogoutRequest::default(), &leaving.access_token)).await.unwrap();
        assert!(here.app.disable_user(&"eve@example.com".parse().unwrap()).await.unwrap());
        for tokens in [&leaving, &disabled] {
            assert_eq!(who_am_i(&mut client, tokens).await, Err(ENDED.to_owned()), "here at once");
            let refusal = refresh(&mut other, &tokens.refresh_token).await.unwrap_err();
            assert_eq!(summary(&refusal), ENDED, "a refresh looks at the database wherever it comes in");
        }
        there.app.pull_revocations().await.unwrap();
        for tokens in [&leaving, &disabled] {
            assert_eq!(who_am_i(&mut other, tokens).await, Err(ENDED.to_owned()));
        }
    }

    async fn a_node_knows_what_was_ended_before_it_serves(engine) {
        let app = TestApp::spawn(engine).await;
        let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
        let token = AccessToken::from_text(tokens.access_token.clone());
        app.client().await.logout(with_bearer(LogoutRequest::default(), &tokens.access_token)).await.unwrap();
        let new = app.use_cases(&app.setup.master_keys).await.unwrap();
        let refusal = new.verifier().authenticate(Some(&token)).await.map(drop);
        assert!(matches!(refusal, Err(Error::Rejected(Rejection::SessionEnded))), "{refusal:?}");
    }

    async fn who_makes_room_for_a_newer_session_is_refused_without_a_look_into_the_database(engine) {
        let app = TestApp::with(engine, |setup| setup.policy.max_sessions_per_user = 1).await;
        sign_up(&mut app.client().await, "ada@example.com").await;
        let node = app.use_cases(&app.setup.master_keys).await.unwrap();
        let login = async || {
            let (email, password) = ("ada@example.com".parse().unwrap(), Password::parse(PASSWORD).unwrap());
            let command = Login { email, password, device: Device::default(), known: None };
            node.login(command).await.unwrap().tokens.access
        };
        let oldest = login().await;
        assert!(node.verifier().authenticate(Some(&oldest)).await.is_ok());
        login().await;
        let refusal = node.verifier().authenticate(Some(&oldest)).await.map(drop);
        assert!(matches!(refusal, Err(Error::Rejected(Rejection::SessionEnded))), "{refusal:?}");
    }

    async fn a_disabled_person_gets_nothing_more_wherever_they_hold_on(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        let first = app.signed_in("ada@example.com").await.tokens.unwrap();
        let second = refresh(&mut client, &first.refresh_token).await.unwrap();
        let fresh = login(&mut client, "ada@example.com").await.unwrap().tokens.unwrap();
        who_am_i(&mut client, &second).await.unwrap();
        assert!(app.app.disable_user(&"ada@example.com".parse().unwrap()).await.unwrap());
        for tokens in [&first, &second, &fresh] {
            expect_ended(&mut client, tokens).await;
        }
        let refusal = login(&mut client, "ada@example.com").await.unwrap_err();
        assert_eq!(summary(&refusal), "PermissionDenied ACCOUNT_DISABLED");
    }

    async fn one_session_more_than_may_be_ends_the_oldest(engine) {
        let app = TestApp::with(engine, |setup| setup.policy.max_sessions_per_user = 3).await;
        let mut client = app.client().await;
        let mut sessions = vec![app.signed_in("ada@example.com").await.tokens.unwrap()];
        let somebody_else = app.signed_in("eve@example.com").await.tokens.unwrap();
        for _ in 0..5 {
            app.clock.advance(Duration::from_secs(1));
            sessions.push(login(&mut client, "ada@example.com").await.unwrap().tokens.unwrap());
        }
        let live = sessions.split_off(3);
        for tokens in &sessions {
            expect_ended(&mut client, tokens).await;
        }
        for tokens in live.iter().chain([&somebody_else]) {
            assert!(who_am_i(&mut client, tokens).await.is_ok());
            assert!(refresh(&mut client, &tokens.refresh_token).await.is_ok());
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").await, 4);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions WHERE end_reason = 'displaced'").await, 3);
    }
}
