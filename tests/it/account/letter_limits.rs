//! Nobody floods a mailbox through us, nor has us write to whomever they like; and what is held back hurts nobody.

use std::time::Duration;

use countersign::proto::{ChangeEmailRequest, RequestPasswordResetRequest, ResendVerificationRequest, SignedIn};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::support::{
    TestApp,
    codes::{CHOOSE, CONFIRM, CONFIRM_NEW, NEW_PASSWORD},
    grpc::{login, sign_up, summary, with_bearer},
    on_both_engines,
};

const ADA: &str = "ada@example.com";
const TRIED: &str = "You have an account already";
const PAUSE: Duration = Duration::from_mins(20);

/// Sends what is due, and counts the letters to an address with a subject that were ever sent.
async fn letters(app: &TestApp, to: &str, subject: &str) -> usize {
    let expected = format!("{to}: {subject}");
    app.letters().await.iter().filter(|letter| **letter == expected).count()
}

async fn want(app: &TestApp, by: &SignedIn, email: &str) -> Result<(), Status> {
    let request = ChangeEmailRequest { email: email.to_owned() };
    let token = &by.tokens.as_ref().unwrap().access_token;
    app.account().await.change_email(with_bearer(request, token)).await.map(drop)
}

on_both_engines! {
    async fn whoever_asks_for_codes_again_and_again_gets_three_of_which_the_last_is_good(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, ADA).await;
        for _ in 0..40 {
            client.request_password_reset(RequestPasswordResetRequest { email: ADA.to_owned() }).await.unwrap();
        }
        // All that were asked for are looked into at once.
        assert_eq!(letters(&app, ADA, CHOOSE).await, 3);
        assert_eq!(letters(&app, ADA, CONFIRM).await, 1, "another kind");
        let last = app.mailed(ADA, CHOOSE).await;
        app.clock.advance(PAUSE);
        for _ in 0..3 {
            client.request_password_reset(RequestPasswordResetRequest { email: ADA.to_owned() }).await.unwrap();
        }
        assert_eq!(letters(&app, ADA, CHOOSE).await, 4, "another after a while, and one only");
        assert_eq!(summary(&client.reset_password(last.reset_by_token(NEW_PASSWORD)).await.unwrap_err()),
            "FailedPrecondition CODE_INVALID", "which voids the one before");
        let newest = app.mailed(ADA, CHOOSE).await;
        app.clock.advance(Duration::from_secs(20 * 60 - 1));
        client.request_password_reset(RequestPasswordResetRequest { email: ADA.to_owned() }).await.unwrap();
        assert_eq!(letters(&app, ADA, CHOOSE).await, 4);
        client.reset_password(newest.reset_by_digits(NEW_PASSWORD)).await.unwrap();
    }

    async fn signing_up_counts_among_the_letters_that_confirm_an_address(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, ADA).await;
        for _ in 0..5 {
            client.resend_verification(ResendVerificationRequest { email: ADA.to_owned() }).await.unwrap();
        }
        assert_eq!(letters(&app, ADA, CONFIRM).await, 3);
        let last = app.mailed(ADA, CONFIRM).await;
        client.verify_email(last.verify_by_digits()).await.unwrap();
    }

    async fn signing_up_with_an_address_again_and_again_tells_its_owner_three_times(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, ADA).await;
        let eve = app.signed_in("eve@example.com").await;
        for _ in 0..4 {
            sign_up(&mut client, ADA).await;
        }
        assert_eq!(letters(&app, ADA, TRIED).await, 3);
        // Wanting their address is the same to them as signing up with it.
        want(&app, &eve, ADA).await.unwrap();
        assert_eq!(letters(&app, ADA, TRIED).await, 3);
        app.clock.advance(PAUSE);
        sign_up(&mut client, ADA).await;
        assert_eq!(letters(&app, ADA, TRIED).await, 4);
    }

    async fn whoever_wants_one_address_after_the_other_is_told_when_to_go_on(engine) {
        let app = TestApp::spawn(engine).await;
        let mut ada = app.signed_in(ADA).await;
        for number in 0..3 {
            want(&app, &ada, &format!("victim{number}@example.com")).await.unwrap();
        }
        app.clock.advance(Duration::from_mins(4));
        let refusal = want(&app, &ada, "victim3@example.com").await.unwrap_err();
        assert_eq!(summary(&refusal), "ResourceExhausted RATE_LIMITED");
        let wait = refusal.get_error_details().retry_info().unwrap().retry_delay.unwrap();
        assert_eq!(wait, Duration::from_mins(16));
        assert_eq!(letters(&app, "victim3@example.com", CONFIRM_NEW).await, 0);
        app.clock.advance(wait);
        ada = login(&mut app.client().await, ADA).await.unwrap();
        want(&app, &ada, "victim3@example.com").await.unwrap();
        assert_eq!(letters(&app, "victim3@example.com", CONFIRM_NEW).await, 1);
    }
}
