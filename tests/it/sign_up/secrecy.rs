//! Nobody learns from an answer whether an address has an account: the answers are compared byte by byte.

use countersign::proto::{LoginRequest, TokenDelivery};

use crate::support::{
    PAGE, PASSWORD, TestApp,
    grpc::{Client, login, sign_up, sign_up_request, summary},
    http::{Headers, frame},
    on_both_engines,
    wire::Wire,
};

const VERIFY: &str = "UPDATE users SET email_verified_at = 1 WHERE email_key = 'verified@example.com'";
const FORGET_PASSWORD: &str = "UPDATE users SET password_hash = NULL WHERE email_key = 'passwordless@example.com'";

/// Accounts in every state that one can be in; `unknown@example.com` is none.
const STATES: [&str; 5] = [
    "unverified@example.com",
    "verified@example.com",
    "disabled@example.com",
    "passwordless@example.com",
    "signed-in@example.com",
];

async fn with_accounts(app: &TestApp) -> Client {
    let mut client = app.client().await;
    for address in STATES {
        sign_up(&mut client, address).await;
    }
    app.database.execute(VERIFY).await;
    app.database.execute(FORGET_PASSWORD).await;
    assert!(app.app.disable_user(&"disabled@example.com".parse().unwrap()).await.unwrap());
    client
}

on_both_engines! {
    async fn sign_up_says_the_same_whether_the_address_was_free_or_not(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = with_accounts(&app).await;
        login(&mut client, "signed-in@example.com").await.unwrap();
        sign_up(&mut client, "ada@bücher.example").await;
        let spellings = [
            "Verified@Example.COM", "VERIFIED@example.com", "verified@ｅｘａｍｐｌｅ.com", "ADA@BÜCHER.example",
            "ada@xn--bcher-kva.example", "ada@bu\u{308}cher.example",
        ];
        for (number, wire) in Wire::ALL.into_iter().enumerate() {
            let free = sign_up_request(&format!("new{number}@example.com"));
            let told = wire.call(&app, "SignUp", &frame(&free), &[]).await.as_told();
            assert!(!told.2.is_empty(), "{wire:?}");
            for taken in STATES.into_iter().chain(spellings) {
                let mut taken = sign_up_request(taken);
                "another password than before".clone_into(&mut taken.password);
                "Mallory".clone_into(&mut taken.display_name);
                assert_eq!(wire.call(&app, "SignUp", &frame(&taken), &[]).await.as_told(), told, "{wire:?} {}", taken.email);
            }
        }
        let accounts = STATES.len() + 1 + Wire::ALL.len();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users").await, i64::try_from(accounts).unwrap());
        let touched = "SELECT COUNT(*) FROM users WHERE display_name = 'Mallory'";
        assert_eq!(app.database.number(touched).await, 0, "who was there is who they were");
        assert!(login(&mut client, "verified@example.com").await.is_ok(), "and their password is theirs");
    }

    async fn login_says_the_same_to_every_wrong_guess(engine) {
        let app = TestApp::with(engine, |setup| setup.policy.require_verified_email = true).await;
        with_accounts(&app).await;
        let page: Headers<'_> = &[("origin", PAGE)];
        let native = [(Wire::Native, TokenDelivery::Body, &[][..])];
        let web = Wire::ALL.into_iter().filter(|wire| *wire != Wire::Native);
        let web = web.flat_map(|wire| [(wire, TokenDelivery::Body, &[][..]), (wire, TokenDelivery::Cookie, page)]);
        for (wire, delivery, headers) in native.into_iter().chain(web) {
            let guess = async |email: &str, password: &str| {
                let delivery = delivery.into();
                let request = LoginRequest { email: email.into(), password: password.into(), delivery, device_token: None };
                wire.call(&app, "Login", &frame(&request), headers).await
            };
            let unknown = guess("unknown@example.com", PASSWORD).await;
            assert_eq!(unknown.outcome(), "Unauthenticated BAD_CREDENTIALS", "{wire:?}");
            for address in STATES.into_iter().chain(["Verified@Example.com"]) {
                let wrong = guess(address, "not the password at all").await;
                assert_eq!(wrong.as_told(), unknown.as_told(), "{wire:?} {delivery:?} {address}");
            }
            let taken_away = guess("passwordless@example.com", PASSWORD).await;
            assert_eq!(taken_away.as_told(), unknown.as_told(), "{wire:?} {delivery:?}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions").await, 0);
    }

    async fn only_the_right_password_learns_how_the_account_stands(engine) {
        let app = TestApp::with(engine, |setup| setup.policy.require_verified_email = true).await;
        let mut client = with_accounts(&app).await;
        let mut refusal = async |address: &str| summary(&login(&mut client, address).await.unwrap_err());
        assert_eq!(refusal("unverified@example.com").await, "PermissionDenied EMAIL_UNVERIFIED");
        assert_eq!(refusal("disabled@example.com").await, "PermissionDenied ACCOUNT_DISABLED");
        app.database.execute("UPDATE users SET email_verified_at = 1").await;
        assert_eq!(refusal("disabled@example.com").await, "PermissionDenied ACCOUNT_DISABLED");
        assert!(login(&mut client, "unverified@example.com").await.is_ok());
        assert!(app.app.enable_user(&"disabled@example.com".parse().unwrap()).await.unwrap());
        assert!(login(&mut client, "disabled@example.com").await.is_ok());
    }
}
