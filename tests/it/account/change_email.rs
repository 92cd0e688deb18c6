//! Moving an account to another address: only who reads the new one's mail can, and the old one hears of it.

use std::time::Duration;

use countersign::proto::{
    ChangeEmailRequest, ConfirmEmailChangeRequest, GetAccountRequest, SignedIn, VerifyEmailRequest,
};
use tonic::Status;

use crate::support::{
    TestApp,
    codes::{CHOOSE, CONFIRM, CONFIRM_NEW, Mailed, NEW_PASSWORD},
    grpc::{login, sign_up, summary, with_bearer},
    http::frame,
    on_both_engines,
    wire::Wire,
};

const INVALID: &str = "FailedPrecondition CODE_INVALID";
const REQUESTED: &str = "Your account is to have another address";
const MOVED: &str = "Your account has another address now";

fn token(signed_in: &SignedIn) -> &str {
    &signed_in.tokens.as_ref().unwrap().access_token
}

async fn ask(app: &TestApp, by: &SignedIn, email: &str) -> Result<(), Status> {
    let request = with_bearer(ChangeEmailRequest { email: email.to_owned() }, token(by));
    app.account().await.change_email(request).await.map(drop)
}

fn by_token(mailed: &Mailed) -> ConfirmEmailChangeRequest {
    ConfirmEmailChangeRequest { token: mailed.token.clone(), code: String::new() }
}

fn by_digits(mailed: &Mailed) -> ConfirmEmailChangeRequest {
    ConfirmEmailChangeRequest { token: String::new(), code: mailed.digits.clone() }
}

async fn confirm(app: &TestApp, by: &SignedIn, request: ConfirmEmailChangeRequest) -> String {
    let answer = app.account().await.confirm_email_change(with_bearer(request, token(by))).await;
    answer.map_or_else(|status| summary(&status), |_| "Ok".to_owned())
}

async fn address(app: &TestApp, of: &SignedIn) -> (String, bool) {
    let answer = app.account().await.get_account(with_bearer(GetAccountRequest {}, token(of))).await.unwrap();
    let user = answer.into_inner().account.unwrap().user.unwrap();
    (user.email, user.email_verified)
}

on_both_engines! {
    async fn the_new_address_counts_once_it_is_confirmed_and_both_hear_of_it(engine) {
        let app = TestApp::spawn(engine).await;
        let ada = app.signed_in("ada@example.com").await;
        for (number, proof) in [by_token, by_digits].into_iter().enumerate() {
            let (old, _) = address(&app, &ada).await;
            let new = format!("Ada{number}@new.example");
            ask(&app, &ada, &new).await.unwrap();
            let mailed = app.mailed(&new, CONFIRM_NEW).await;
            assert_eq!(address(&app, &ada).await.0, old, "nothing has changed yet");
            assert!(app.letters().await.contains(&format!("{old}: {REQUESTED}")));

            assert_eq!(confirm(&app, &ada, proof(&mailed)).await, "Ok");

            assert_eq!(address(&app, &ada).await, (new.clone(), true), "confirmed by the same step");
            assert!(app.letters().await.contains(&format!("{old}: {MOVED}")));
            assert_eq!(confirm(&app, &ada, proof(&mailed)).await, INVALID, "once");
            let mut client = app.client().await;
            assert!(login(&mut client, &new.to_uppercase()).await.is_ok());
            assert_eq!(summary(&login(&mut client, &old).await.unwrap_err()), "Unauthenticated BAD_CREDENTIALS");
        }
    }

    // A24: what lies in the old mailbox opens nothing any more.
    async fn a24_a_new_address_voids_the_codes_that_went_to_the_old_one(engine) {
        let app = TestApp::spawn(engine).await;
        let ada = app.signed_in("ada@example.com").await;
        let verification = app.mailed("ada@example.com", CONFIRM).await;
        let reset = app.reset("ada@example.com").await;
        ask(&app, &ada, "ada@new.example").await.unwrap();
        let mailed = app.mailed("ada@new.example", CONFIRM_NEW).await;
        assert_eq!(confirm(&app, &ada, by_digits(&mailed)).await, "Ok");
        let mut client = app.client().await;
        for request in [reset.reset_by_token(NEW_PASSWORD), reset.reset_by_digits(NEW_PASSWORD)] {
            assert_eq!(summary(&client.reset_password(request).await.unwrap_err()), INVALID);
        }
        let refusal = client.verify_email(verification.verify_by_token()).await.unwrap_err();
        assert_eq!(summary(&refusal), INVALID);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM codes").await, 0);
    }

    async fn an_address_that_somebody_has_is_answered_alike_and_they_are_told(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, "Eve@example.com").await;
        let ada = app.signed_in("ada@example.com").await;
        let bearer = format!("Bearer {}", token(&ada));
        for wire in Wire::ALL {
            let answer = async |email: &str| {
                let request = frame(&ChangeEmailRequest { email: email.to_owned() });
                let headers = [("authorization", bearer.as_str())];
                wire.call(&app, "AccountService/ChangeEmail", &request, &headers).await
            };
            let free = answer("free@example.com").await;
            assert_eq!(free.outcome(), "Ok", "{wire:?}");
            assert_eq!(answer("eve@EXAMPLE.com").await.as_told(), free.as_told(), "{wire:?}");
            app.forget_letter_limits().await;
        }
        let letters = app.letters().await;
        assert!(letters.contains(&"Eve@example.com: You have an account already".to_owned()), "{letters:?}");
        assert!(!letters.contains(&format!("Eve@example.com: {CONFIRM_NEW}")), "no code to take it over with");
        assert_eq!(letters.iter().filter(|letter| **letter == format!("ada@example.com: {REQUESTED}")).count(), 10);
    }

    async fn whoever_takes_the_address_meanwhile_has_it(engine) {
        let app = TestApp::spawn(engine).await;
        let ada = app.signed_in("ada@example.com").await;
        ask(&app, &ada, "new@example.com").await.unwrap();
        let mailed = app.mailed("new@example.com", CONFIRM_NEW).await;
        sign_up(&mut app.client().await, "new@example.com").await;
        assert_eq!(confirm(&app, &ada, by_token(&mailed)).await, INVALID);
        assert_eq!(address(&app, &ada).await.0, "ada@example.com");
        assert!(login(&mut app.client().await, "new@example.com").await.is_ok());
    }

    // A8, and the confused deputy: a code is its person's, and confirms nothing but what it was sent for.
    async fn a8_nobody_confirms_with_somebody_elses_code_or_with_another_kind(engine) {
        let app = TestApp::spawn(engine).await;
        let (ada, eve) = (app.signed_in("ada@example.com").await, app.signed_in("eve@example.com").await);
        ask(&app, &eve, "victim@example.com").await.unwrap();
        let mailed = app.mailed("victim@example.com", CONFIRM_NEW).await;
        assert_eq!(confirm(&app, &ada, by_token(&mailed)).await, INVALID);
        assert_eq!(confirm(&app, &ada, by_digits(&mailed)).await, INVALID);
        let verification = app.mailed("ada@example.com", CONFIRM).await;
        let reset = app.reset("ada@example.com").await;
        assert_eq!(confirm(&app, &ada, by_token(&verification)).await, INVALID);
        assert_eq!(confirm(&app, &ada, by_token(&reset)).await, INVALID);
        let mut client = app.client().await;
        let as_verification = VerifyEmailRequest { token: mailed.token.clone(), ..VerifyEmailRequest::default() };
        assert_eq!(summary(&client.verify_email(as_verification).await.unwrap_err()), INVALID);
        assert_eq!(summary(&client.reset_password(mailed.reset_by_token(NEW_PASSWORD)).await.unwrap_err()), INVALID);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE email_verified_at IS NOT NULL").await, 0);
        assert_eq!(confirm(&app, &eve, by_token(&mailed)).await, "Ok", "whose it is");
    }

    async fn five_wrong_digits_leave_the_link_and_an_hour_ends_both(engine) {
        let app = TestApp::spawn(engine).await;
        let ada = app.signed_in("ada@example.com").await;
        ask(&app, &ada, "ada@new.example").await.unwrap();
        let mailed = app.mailed("ada@new.example", CONFIRM_NEW).await;
        for _ in 0..5 {
            let wrong = ConfirmEmailChangeRequest { token: String::new(), code: mailed.wrong_digits() };
            assert_eq!(confirm(&app, &ada, wrong).await, INVALID);
        }
        assert_eq!(confirm(&app, &ada, by_digits(&mailed)).await, INVALID);
        app.clock.advance(Duration::from_hours(1));
        let ada = login(&mut app.client().await, "ada@example.com").await.unwrap();
        assert_eq!(confirm(&app, &ada, by_token(&mailed)).await, INVALID);
        ask(&app, &ada, "ada@new.example").await.unwrap();
        let mailed = app.mailed("ada@new.example", CONFIRM_NEW).await;
        let later = ask(&app, &ada, "ada@newer.example").await;
        assert!(later.is_ok());
        assert_eq!(confirm(&app, &ada, by_token(&mailed)).await, INVALID, "another one was asked for since");
    }

    // Whichever comes first: never does the old mailbox's code open the moved account.
    async fn a_reset_and_a_move_at_once_do_not_both_happen(engine) {
        let app = TestApp::spawn(engine).await;
        for round in 0..15 {
            let (old, new) = (format!("ada{round}@example.com"), format!("ada{round}@new.example"));
            let ada = app.signed_in(&old).await;
            ask(&app, &ada, &new).await.unwrap();
            let change = app.mailed(&new, CONFIRM_NEW).await;
            let reset = app.reset(&old).await;
            assert!(app.mail.last(&old, CHOOSE).is_some());
            let mut client = app.client().await;
            let (moved, replaced) =
                tokio::join!(confirm(&app, &ada, by_token(&change)), client.reset_password(reset.reset_by_token(NEW_PASSWORD)));
            assert!((moved == "Ok") != replaced.is_ok(), "{moved} {replaced:?}");
        }
    }
}
