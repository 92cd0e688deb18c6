//! Nobody learns from what these calls answer whether an address has an account: compared byte by byte.

use countersign::proto::{
    RequestPasswordResetRequest, ResendVerificationRequest, ResetPasswordRequest, VerifyEmailRequest,
};

use crate::support::{TestApp, codes::NEW_PASSWORD, grpc::sign_up, http::frame, on_both_engines, wire::Wire};

/// Accounts in every state that one can be in, and one address without.
const STATES: [&str; 6] = [
    "absent@example.com",
    "unverified@example.com",
    "verified@example.com",
    "disabled@example.com",
    "passwordless@example.com",
    "coded@example.com",
];

async fn with_accounts(app: &TestApp) {
    let mut client = app.client().await;
    for address in &STATES[1..] {
        sign_up(&mut client, address).await;
    }
    app.deliver().await;
    app.database.execute("DELETE FROM codes").await;
    app.database.execute("UPDATE users SET email_verified_at = 1 WHERE email_key = 'verified@example.com'").await;
    app.database.execute("UPDATE users SET password_hash = NULL WHERE email_key = 'passwordless@example.com'").await;
    assert!(app.app.disable_user(&"disabled@example.com".parse().unwrap()).await.unwrap());
    app.verification("coded@example.com").await;
    app.reset("coded@example.com").await;
}

on_both_engines! {
    async fn asking_for_a_letter_says_the_same_for_every_address(engine) {
        let app = TestApp::spawn(engine).await;
        with_accounts(&app).await;
        for wire in Wire::ALL {
            for method in ["RequestPasswordReset", "ResendVerification"] {
                let ask = async |email: &str| {
                    let email = email.to_owned();
                    let request = match method {
                        "RequestPasswordReset" => frame(&RequestPasswordResetRequest { email }),
                        _ => frame(&ResendVerificationRequest { email }),
                    };
                    wire.call(&app, method, &request, &[]).await
                };
                let absent = ask(STATES[0]).await;
                assert_eq!(absent.outcome(), "Ok", "{wire:?} {method}");
                for address in STATES {
                    assert_eq!(ask(address).await.as_told(), absent.as_told(), "{wire:?} {method} {address}");
                }
            }
        }
    }

    async fn guessing_digits_says_the_same_for_every_address(engine) {
        let app = TestApp::spawn(engine).await;
        with_accounts(&app).await;
        for wire in Wire::ALL {
            for method in ["VerifyEmail", "ResetPassword"] {
                let guess = async |email: &str| {
                    let (email, code) = (email.to_owned(), "00000000".to_owned());
                    let new_password = NEW_PASSWORD.to_owned();
                    let request = match method {
                        "VerifyEmail" => frame(&VerifyEmailRequest { email, code, token: String::new() }),
                        _ => frame(&ResetPasswordRequest { email, code, new_password, token: String::new() }),
                    };
                    wire.call(&app, method, &request, &[]).await
                };
                let absent = guess(STATES[0]).await;
                assert_eq!(absent.outcome(), "FailedPrecondition CODE_INVALID", "{wire:?} {method}");
                for address in STATES {
                    assert_eq!(guess(address).await.as_told(), absent.as_told(), "{wire:?} {method} {address}");
                }
            }
        }
    }

    // What is written does not differ either, so that the time has no reason to.
    async fn a_guess_writes_the_same_for_every_address(engine) {
        let app = TestApp::spawn(engine).await;
        with_accounts(&app).await;
        let mut client = app.client().await;
        for (number, email) in STATES.into_iter().enumerate() {
            let request = VerifyEmailRequest { email: email.to_owned(), code: "00000000".to_owned(), token: String::new() };
            client.verify_email(request).await.unwrap_err();
            let written = "SELECT COUNT(*) FROM audit_events WHERE kind = 'code_tried'";
            assert_eq!(app.database.number(written).await, i64::try_from(number + 1).unwrap(), "{email}");
        }
    }
}
