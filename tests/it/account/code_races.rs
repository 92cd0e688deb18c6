//! Many at once with one code: one gets on; many at once who guess: five tries in all.

use std::sync::Arc;

use countersign::proto::{ResetPasswordRequest, VerifyEmailRequest};
use tokio::{sync::Barrier, task::JoinSet};
use tonic::Status;

use crate::support::{
    TestApp,
    codes::{CONFIRM, NEW_PASSWORD},
    grpc::{Client, sign_up, summary},
    on_both_engines,
};

const RACERS: usize = 64;

/// What each of many gets who do the same at once.
async fn race<F>(app: &TestApp, call: impl Fn(usize, Client) -> F) -> Vec<String>
where
    F: Future<Output = Result<(), Status>> + Send + 'static,
{
    let client = app.client().await;
    let barrier = Arc::new(Barrier::new(RACERS));
    let mut racers = JoinSet::new();
    for number in 0..RACERS {
        let (barrier, call) = (Arc::clone(&barrier), call(number, client.clone()));
        racers.spawn(async move {
            barrier.wait().await;
            call.await.map_or_else(|status| summary(&status), |()| "Ok".to_owned())
        });
    }
    let mut answers = racers.join_all().await;
    answers.sort();
    answers
}

fn one_of_many() -> Vec<String> {
    let mut expected = vec!["FailedPrecondition CODE_INVALID".to_owned(); RACERS - 1];
    expected.push("Ok".to_owned());
    expected
}

async fn verify(mut client: Client, request: VerifyEmailRequest) -> Result<(), Status> {
    client.verify_email(request).await.map(drop)
}

async fn reset(mut client: Client, request: ResetPasswordRequest) -> Result<(), Status> {
    client.reset_password(request).await.map(drop)
}

on_both_engines! {
    // A24: one code, one use.
    async fn a24_of_64_who_use_one_code_at_once_one_gets_on(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, "ada@example.com").await;
        let first = app.mailed("ada@example.com", CONFIRM).await;
        assert_eq!(race(&app, |_, client| verify(client, first.verify_by_token())).await, one_of_many());
        app.database.execute("UPDATE users SET email_verified_at = NULL").await;
        let second = app.verification("ada@example.com").await;
        assert_eq!(race(&app, |_, client| verify(client, second.verify_by_digits())).await, one_of_many());
        for by_digits in [false, true] {
            let mailed = app.reset("ada@example.com").await;
            let password = |number: usize| format!("{NEW_PASSWORD} {number}");
            let answers = race(&app, |number, client| {
                let password = password(number);
                let request =
                    if by_digits { mailed.reset_by_digits(&password) } else { mailed.reset_by_token(&password) };
                reset(client, request)
            });
            assert_eq!(answers.await, one_of_many(), "by digits: {by_digits}");
        }
        let resets = "SELECT COUNT(*) FROM audit_events WHERE kind = 'password_reset'";
        assert_eq!(app.database.number(resets).await, 2);
        assert_eq!(app.database.number("SELECT epoch FROM users").await, 2);
    }

    async fn those_who_guess_at_once_have_five_tries_in_all(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, "ada@example.com").await;
        let mailed = app.reset("ada@example.com").await;
        let guess = |number: usize| {
            let right: u64 = mailed.digits.parse().unwrap();
            let code = format!("{:08}", (right + 1 + u64::try_from(number).unwrap()) % 100_000_000);
            ResetPasswordRequest { code, ..mailed.reset_by_digits(NEW_PASSWORD) }
        };
        let answers = race(&app, |number, client| reset(client, guess(number))).await;
        assert_eq!(answers, vec!["FailedPrecondition CODE_INVALID".to_owned(); RACERS]);
        assert_eq!(app.database.number("SELECT tries FROM codes WHERE purpose = 'reset_password'").await, 5);
        let late = reset(app.client().await, mailed.reset_by_digits(NEW_PASSWORD)).await.unwrap_err();
        assert_eq!(summary(&late), "FailedPrecondition CODE_INVALID", "the right digits come too late");
        let tried = "SELECT COUNT(*) FROM audit_events WHERE kind = 'code_tried'";
        assert_eq!(app.database.number(tried).await, 65, "all of it is written down");
    }

    // Which of the two comes first does not matter, as long as both have happened or one was refused.
    async fn a_reset_and_a_confirmation_at_once_leave_no_half_state(engine) {
        let app = TestApp::spawn(engine).await;
        for round in 0..20 {
            let email = format!("ada{round}@example.com");
            sign_up(&mut app.client().await, &email).await;
            let verification = app.mailed(&email, CONFIRM).await;
            let mailed = app.reset(&email).await;
            let (verified, replaced) = tokio::join!(
                verify(app.client().await, verification.verify_by_token()),
                reset(app.client().await, mailed.reset_by_token(NEW_PASSWORD)),
            );
            assert!(replaced.is_ok(), "{replaced:?}");
            if let Err(refusal) = verified {
                assert_eq!(summary(&refusal), "FailedPrecondition CODE_INVALID");
            }
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM codes").await, 0);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE email_verified_at IS NULL").await, 0);
    }
}
