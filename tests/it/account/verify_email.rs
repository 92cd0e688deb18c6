//! Showing that an address is one's own: by the link or by the digits, once, in time, and for nothing else.

use std::time::Duration;

use countersign::proto::VerifyEmailRequest;

use crate::support::{
    TestApp,
    codes::{CONFIRM, NEW_PASSWORD},
    grpc::{Client, login, sign_up, summary},
    on_both_engines,
};

const VERIFIED: &str = "SELECT COUNT(*) FROM users WHERE email_verified_at IS NOT NULL";
const INVALID: &str = "FailedPrecondition CODE_INVALID";

async fn verify(client: &mut Client, request: VerifyEmailRequest) -> String {
    client.verify_email(request).await.map_or_else(|status| summary(&status), |_| "Ok".to_owned())
}

async fn strict(engine: crate::support::Engine) -> TestApp {
    TestApp::with(engine, |setup| setup.policy.require_verified_email = true).await
}

on_both_engines! {
    async fn the_link_of_the_first_letter_lets_a_person_sign_in(engine) {
        let app = strict(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, "Ada@example.com").await;
        let refusal = login(&mut client, "ada@example.com").await.unwrap_err();
        assert_eq!(summary(&refusal), "PermissionDenied EMAIL_UNVERIFIED");

        let mailed = app.mailed("Ada@example.com", CONFIRM).await;
        assert_eq!(verify(&mut client, mailed.verify_by_token()).await, "Ok");

        assert!(login(&mut client, "ada@example.com").await.is_ok());
        assert_eq!(verify(&mut client, mailed.verify_by_token()).await, INVALID, "once");
        assert_eq!(verify(&mut client, mailed.verify_by_digits()).await, INVALID, "also in the other spelling");
    }

    async fn so_do_its_digits_however_the_address_is_spelled(engine) {
        let app = strict(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, "ada@example.com").await;
        let mailed = app.mailed("ada@example.com", CONFIRM).await;
        let (start, end) = mailed.digits.split_at(4);
        let typed = VerifyEmailRequest { email: "ADA@Example.com".to_owned(), code: format!("{start} {end}"), token: String::new() };
        assert_eq!(verify(&mut client, typed).await, "Ok");
        assert!(login(&mut client, "ada@example.com").await.is_ok());
        assert_eq!(verify(&mut client, mailed.verify_by_token()).await, INVALID);
    }

    async fn a_code_is_good_until_it_expires(engine) {
        let app = strict(engine).await;
        let mut client = app.client().await;
        let mut after = async |email: &str, wait: Duration| {
            sign_up(&mut client, email).await;
            let mailed = app.mailed(email, CONFIRM).await;
            app.clock.advance(wait);
            (verify(&mut client, mailed.verify_by_token()).await, verify(&mut client, mailed.verify_by_digits()).await)
        };
        let day = Duration::from_hours(24);
        assert_eq!(after("ada@example.com", day).await, (INVALID.to_owned(), INVALID.to_owned()));
        let in_time = day.checked_sub(Duration::from_millis(1)).unwrap();
        assert_eq!(after("eve@example.com", in_time).await, ("Ok".to_owned(), INVALID.to_owned()));
        assert_eq!(app.database.number(VERIFIED).await, 1);
        app.clock.advance(Duration::from_hours(24));
        app.app.sweep_codes().await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM codes").await, 0, "and is not kept for long after");
    }

    async fn a_new_letter_voids_the_one_before(engine) {
        let app = strict(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, "ada@example.com").await;
        let first = app.mailed("ada@example.com", CONFIRM).await;
        let second = app.verification("ada@example.com").await;
        assert_ne!(first.token, second.token);
        assert_eq!(verify(&mut client, first.verify_by_token()).await, INVALID);
        if first.digits != second.digits {
            assert_eq!(verify(&mut client, first.verify_by_digits()).await, INVALID);
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM codes").await, 1);
        assert_eq!(verify(&mut client, second.verify_by_digits()).await, "Ok");
    }

    async fn after_five_wrong_digits_only_the_link_is_good(engine) {
        let app = strict(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, "ada@example.com").await;
        let mailed = app.mailed("ada@example.com", CONFIRM).await;
        for _ in 0..5 {
            let wrong = VerifyEmailRequest { code: mailed.wrong_digits(), ..mailed.verify_by_digits() };
            assert_eq!(verify(&mut client, wrong).await, INVALID);
        }
        assert_eq!(verify(&mut client, mailed.verify_by_digits()).await, INVALID, "the sixth try, though right");
        assert_eq!(app.database.number(VERIFIED).await, 0);
        assert_eq!(verify(&mut client, mailed.verify_by_token()).await, "Ok", "who guesses takes nothing away");
    }

    async fn the_fifth_try_still_counts(engine) {
        let app = strict(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, "ada@example.com").await;
        let mailed = app.mailed("ada@example.com", CONFIRM).await;
        for _ in 0..4 {
            let wrong = VerifyEmailRequest { code: mailed.wrong_digits(), ..mailed.verify_by_digits() };
            assert_eq!(verify(&mut client, wrong).await, INVALID);
        }
        assert_eq!(verify(&mut client, mailed.verify_by_digits()).await, "Ok");
    }

    async fn a_code_for_one_thing_is_good_for_nothing_else(engine) {
        let app = strict(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, "ada@example.com").await;
        let verification = app.mailed("ada@example.com", CONFIRM).await;
        let reset = app.reset("ada@example.com").await;
        assert_eq!(verify(&mut client, reset.verify_by_token()).await, INVALID);
        if reset.digits != verification.digits {
            assert_eq!(verify(&mut client, reset.verify_by_digits()).await, INVALID);
        }
        for request in [verification.reset_by_token(NEW_PASSWORD), verification.reset_by_digits(NEW_PASSWORD)] {
            assert_eq!(summary(&client.reset_password(request).await.unwrap_err()), INVALID);
        }
        assert_eq!(app.database.number(VERIFIED).await, 0);
    }

    async fn nobody_is_written_to_who_need_not_be(engine) {
        let app = strict(engine).await;
        let mut client = app.client().await;
        for email in ["ada@example.com", "disabled@example.com"] {
            sign_up(&mut client, email).await;
        }
        let mailed = app.mailed("ada@example.com", CONFIRM).await;
        assert_eq!(verify(&mut client, mailed.verify_by_token()).await, "Ok");
        app.app.disable_user(&"disabled@example.com".parse().unwrap()).await.unwrap();
        let before = app.letters().await;
        for email in ["ada@example.com", "disabled@example.com", "nobody@example.com"] {
            let request = countersign::proto::ResendVerificationRequest { email: email.to_owned() };
            client.resend_verification(request).await.unwrap();
        }
        assert_eq!(app.letters().await, before);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM outbox").await, 0);
    }

    async fn a_disabled_persons_codes_do_nothing_and_do_not_come_back(engine) {
        let app = strict(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, "ada@example.com").await;
        let verification = app.mailed("ada@example.com", CONFIRM).await;
        let reset = app.reset("ada@example.com").await;
        let ada = "ada@example.com".parse().unwrap();
        app.app.disable_user(&ada).await.unwrap();
        for _ in 0..2 {
            assert_eq!(verify(&mut client, verification.verify_by_token()).await, INVALID);
            assert_eq!(verify(&mut client, verification.verify_by_digits()).await, INVALID);
            let refusal = client.reset_password(reset.reset_by_token(NEW_PASSWORD)).await.unwrap_err();
            assert_eq!(summary(&refusal), INVALID);
            app.app.enable_user(&ada).await.unwrap();
        }
    }

    async fn codes_outlive_a_new_master_key_and_a_restart(engine) {
        let app = strict(engine).await;
        sign_up(&mut app.client().await, "ada@example.com").await;
        let mailed = app.mailed("ada@example.com", CONFIRM).await;
        let new_key = "cs_mk_AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";
        let app = app.restart_with(|setup| setup.master_keys = format!("{new_key} {}", setup.master_keys)).await;
        assert_eq!(verify(&mut app.client().await, mailed.verify_by_digits()).await, "Ok");
    }

    async fn what_is_not_there_is_named(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        let mut refusal = async |token: &str, email: &str, code: &str| {
            let [token, email, code] = [token, email, code].map(str::to_owned);
            verify(&mut client, VerifyEmailRequest { token, email, code }).await
        };
        assert_eq!(refusal("", "", "").await, "InvalidArgument INVALID_FIELDS email,code");
        assert_eq!(refusal("", "ada@example.com", "1234567").await, "InvalidArgument INVALID_FIELDS code");
        assert_eq!(refusal("cs_ot_x", "ada@example.com", "").await, "InvalidArgument INVALID_FIELDS token");
        assert_eq!(refusal("cs_ot_x", "", "12345678").await, "InvalidArgument INVALID_FIELDS token");
        assert_eq!(refusal(&"x".repeat(513), "", "").await, "InvalidArgument INVALID_FIELDS token");
        assert_eq!(refusal("cs_ot_x", "", "").await, INVALID);
    }
}
