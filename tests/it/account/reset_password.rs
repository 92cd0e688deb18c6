//! Choosing a new password without the old one: whoever reads the account's mail can, and nothing that opened it before does.

use std::time::Duration;

use countersign::proto::{LoginRequest, ResetPasswordRequest, SignedIn, WhoAmIRequest};

use crate::support::{
    TestApp,
    codes::{CHANGED, CHOOSE, CONFIRM, NEW_PASSWORD, request_reset},
    grpc::{Client, login, login_request, refresh, sign_up, summary, with_bearer},
    http::frame,
    on_both_engines,
    wire::Wire,
};

const INVALID: &str = "FailedPrecondition CODE_INVALID";

async fn reset(client: &mut Client, request: ResetPasswordRequest) -> String {
    client.reset_password(request).await.map_or_else(|status| summary(&status), |_| "Ok".to_owned())
}

async fn login_with(client: &mut Client, email: &str, password: &str) -> String {
    let request = LoginRequest { password: password.to_owned(), ..login_request(email) };
    client.login(request).await.map_or_else(|status| summary(&status), |_| "Ok".to_owned())
}

async fn refuse(client: &mut Client, session: &SignedIn) {
    let tokens = session.tokens.clone().unwrap();
    let refusal = client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await.unwrap_err();
    assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED");
    let refusal = refresh(client, &tokens.refresh_token).await.unwrap_err();
    assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED");
}

on_both_engines! {
    // A4: nothing that opened the account before opens it afterwards.
    async fn a4_a_reset_ends_every_session_and_voids_every_code(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        let mut sessions = vec![app.signed_in("ada@example.com").await];
        for _ in 0..4 {
            sessions.push(login(&mut client, "ada@example.com").await.unwrap());
        }
        let eve = app.signed_in("eve@example.com").await;
        let verification = app.mailed("ada@example.com", CONFIRM).await;
        let mailed = app.reset("ada@example.com").await;
        let other = app.another_node().await;

        assert_eq!(reset(&mut client, mailed.reset_by_token(NEW_PASSWORD)).await, "Ok");

        other.app.pull_revocations().await.unwrap();
        for node in [&app, &other] {
            let mut client = node.client().await;
            for session in &sessions {
                refuse(&mut client, session).await;
            }
            assert_eq!(reset(&mut client, mailed.reset_by_token(NEW_PASSWORD)).await, INVALID);
            let refusal = client.verify_email(verification.verify_by_token()).await.unwrap_err();
            assert_eq!(summary(&refusal), INVALID, "the first letter's code too");
        }
        assert!(refresh(&mut client, &eve.tokens.unwrap().refresh_token).await.is_ok(), "nobody else's");
        assert_eq!(login_with(&mut client, "ada@example.com", crate::support::PASSWORD).await, "Unauthenticated BAD_CREDENTIALS");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").await, 1, "and none is opened");
        assert_eq!(login_with(&mut client, "ada@example.com", NEW_PASSWORD).await, "Ok");
        assert_eq!(app.database.text("SELECT DISTINCT end_reason FROM sessions WHERE ended_at IS NOT NULL").await.unwrap(), "password_changed");
        assert!(app.letters().await.contains(&format!("ada@example.com: {CHANGED}")));
    }

    async fn the_digits_do_it_too_and_both_only_once_and_in_time(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, "ada@example.com").await;
        let mailed = app.reset("ada@example.com").await;
        app.clock.advance(Duration::from_mins(30));
        assert_eq!(reset(&mut client, mailed.reset_by_token(NEW_PASSWORD)).await, INVALID);
        assert_eq!(reset(&mut client, mailed.reset_by_digits(NEW_PASSWORD)).await, INVALID);
        let mailed = app.reset("ada@example.com").await;
        app.clock.advance(Duration::from_mins(29));
        assert_eq!(reset(&mut client, mailed.reset_by_digits(NEW_PASSWORD)).await, "Ok");
        assert_eq!(reset(&mut client, mailed.reset_by_digits("a third horse, a third battery")).await, INVALID);
        assert_eq!(reset(&mut client, mailed.reset_by_token("a third horse, a third battery")).await, INVALID);
        assert_eq!(login_with(&mut client, "ada@example.com", NEW_PASSWORD).await, "Ok");
    }

    async fn a_weak_password_leaves_the_code_as_it_was(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, "ada@example.com").await;
        let mailed = app.reset("ada@example.com").await;
        for _ in 0..6 {
            let weak = reset(&mut client, mailed.reset_by_digits("short")).await;
            assert_eq!(weak, "InvalidArgument WEAK_PASSWORD new_password");
        }
        assert_eq!(reset(&mut client, mailed.reset_by_digits(NEW_PASSWORD)).await, "Ok", "no try was spent");
    }

    // The one who reads the mail has shown that the address is theirs; whoever signed up with it before is out.
    async fn a_reset_confirms_the_address_and_takes_the_account_from_who_squats_on_it(engine) {
        let app = TestApp::with(engine, |setup| setup.policy.require_verified_email = true).await;
        let mut client = app.client().await;
        sign_up(&mut client, "victim@example.com").await;
        let mailed = app.reset("victim@example.com").await;
        assert_eq!(reset(&mut client, mailed.reset_by_token(NEW_PASSWORD)).await, "Ok");
        assert_eq!(login_with(&mut client, "victim@example.com", NEW_PASSWORD).await, "Ok");
        let squatter = login_with(&mut client, "victim@example.com", crate::support::PASSWORD).await;
        assert_eq!(squatter, "Unauthenticated BAD_CREDENTIALS");
    }

    async fn an_account_without_a_password_gets_one(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, "ada@example.com").await;
        app.database.execute("UPDATE users SET password_hash = NULL").await;
        let mailed = app.reset("ada@example.com").await;
        assert_eq!(reset(&mut client, mailed.reset_by_token(NEW_PASSWORD)).await, "Ok");
        assert_eq!(login_with(&mut client, "ada@example.com", NEW_PASSWORD).await, "Ok");
    }

    // A26: what is one account's address under one spelling is under all, and a letter only ever goes to the stored one.
    async fn a26_letters_go_to_the_address_on_file_and_to_nobody_beside(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, "Ada@example.com").await;
        app.letters().await;
        let malformed = [
            "ada@example.com,eve@evil.test", "ada@example.com;eve@evil.test", "ada@example.com eve@evil.test",
            "ada@example.com\r\nBcc: eve@evil.test", "ada@example.com\0@evil.test", "ada@evil.test@example.com",
            "\"ada@example.com\"@evil.test", "<ada@example.com>", "ada＠example.com", "Ada <ada@example.com>",
        ];
        for email in malformed {
            let refusal = request_reset(&mut client, email).await.unwrap_err();
            assert_eq!(summary(&refusal), "InvalidArgument INVALID_FIELDS email", "{email:?}");
        }
        for email in ["ADA@EXAMPLE.COM", "ada@ｅｘａｍｐｌｅ.com", "ada@exam\u{e4}ple.com", "a.da@example.com", "ada+x@example.com"] {
            request_reset(&mut client, email).await.unwrap();
        }
        let sent = app.letters().await;
        let resets: Vec<_> = sent.iter().filter(|letter| letter.ends_with(CHOOSE)).collect();
        assert_eq!(resets, ["Ada@example.com: Choose a new password"; 2], "for the two that spell hers");
    }

    // A9: what a letter says is the configuration's, whatever the call that causes it claims to be.
    async fn a9_a_poisoned_request_changes_nothing_in_the_letter(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, "ada@example.com").await;
        let request = frame(&countersign::proto::RequestPasswordResetRequest { email: "ada@example.com".to_owned() });
        let mut texts = Vec::new();
        let evil = [
            ("x-forwarded-host", "evil.test"), ("x-forwarded-proto", "http"), ("forwarded", "host=evil.test"),
            ("x-original-url", "https://evil.test/"), ("referer", "https://evil.test/"), ("x-rewrite-url", "//evil.test"),
        ];
        for headers in [&[][..], &evil[..]] {
            for wire in Wire::ALL {
                let answer = wire.call(&app, "RequestPasswordReset", &request, headers).await;
                assert_eq!(answer.outcome(), "Ok", "{wire:?}");
                let mailed = app.mailed("ada@example.com", CHOOSE).await;
                let text = app.mail.last("ada@example.com", CHOOSE).unwrap();
                texts.push(text.replace(&mailed.token, "TOKEN").replace(&mailed.digits, "DIGITS"));
            }
        }
        texts.dedup();
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(!texts[0].contains("evil"), "{texts:?}");
    }
}
