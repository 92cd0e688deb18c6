//! Devices that are known: whoever signs in from one that is not is told of, without anything being guessed from how it looks.

use std::collections::BTreeSet;

use countersign::proto::{LoginRequest, SignedIn, TokenDelivery, login_response::Outcome};

use crate::support::{
    CROSS_SITE_PAGE, PAGE, TestApp,
    browser::Browser,
    codes::NEW_PASSWORD,
    grpc::{login_request, refresh, sign_up},
    http::{Http, Version},
    on_both_engines,
};

const NOTICE: &str = "A new device signed in";

async fn login_from(app: &TestApp, email: &str, device_token: Option<String>) -> SignedIn {
    let request = LoginRequest { device_token, ..login_request(email) };
    let Some(Outcome::SignedIn(signed_in)) = app.client().await.login(request).await.unwrap().into_inner().outcome
    else {
        panic!("signed in")
    };
    signed_in
}

fn device(signed_in: &SignedIn) -> Option<String> {
    signed_in.tokens.as_ref().unwrap().device_token.clone()
}

/// How many letters say that a new device signed in to this account.
async fn notices(app: &TestApp, email: &str) -> usize {
    app.letters().await.iter().filter(|letter| **letter == format!("{email}: {NOTICE}")).count()
}

on_both_engines! {
    async fn the_first_sign_in_is_no_news_and_one_from_another_device_is(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, "ada@example.com").await;
        let first = login_from(&app, "ada@example.com", None).await;
        assert_eq!(notices(&app, "ada@example.com").await, 0);
        let known = login_from(&app, "ada@example.com", device(&first)).await;
        assert_eq!(notices(&app, "ada@example.com").await, 0);
        login_from(&app, "ada@example.com", None).await;
        assert_eq!(notices(&app, "ada@example.com").await, 1);
        let text = app.mail.last("ada@example.com", NOTICE).unwrap();
        assert!(text.contains("tonic/"), "{text}");
        login_from(&app, "ada@example.com", device(&known)).await;
        assert_eq!(notices(&app, "ada@example.com").await, 1);
        let renewed = refresh(&mut app.client().await, &first.tokens.unwrap().refresh_token).await.unwrap();
        assert_eq!(renewed.device_token, None, "only a sign-in gives one");
    }

    // A22: what a device is known by is of the service's making, new each time, and worth nothing to whoever had it before.
    async fn a22_a_token_that_was_chosen_copied_or_planted_makes_no_device_known(engine) {
        let app = TestApp::spawn(engine).await;
        for email in ["ada@example.com", "eve@example.com"] {
            sign_up(&mut app.client().await, email).await;
        }
        let ada = login_from(&app, "ada@example.com", None).await;
        let mut chosen = device(&ada).unwrap();
        let last = if chosen.pop() == Some('A') { 'E' } else { 'A' };
        chosen.push(last);
        for bad in [chosen, "cs_dt_AAAA".to_owned(), "x".repeat(10_000), "\u{1f600}".to_owned(), String::new()] {
            let before = notices(&app, "ada@example.com").await;
            login_from(&app, "ada@example.com", Some(bad)).await;
            assert_eq!(notices(&app, "ada@example.com").await, before + 1);
        }
        let before = notices(&app, "ada@example.com").await;
        let copied = device(&ada);
        let ada = login_from(&app, "ada@example.com", copied.clone()).await;
        assert_eq!(notices(&app, "ada@example.com").await, before, "its owner was first");
        login_from(&app, "ada@example.com", copied).await;
        assert_eq!(notices(&app, "ada@example.com").await, before + 1, "whoever copied it is not known");

        // Eve leaves her own token on Ada's device, and has kept a copy.
        let planted = device(&login_from(&app, "eve@example.com", None).await);
        login_from(&app, "ada@example.com", device(&ada)).await;
        login_from(&app, "ada@example.com", planted.clone()).await;
        let before = notices(&app, "ada@example.com").await;
        login_from(&app, "ada@example.com", planted).await;
        assert_eq!(notices(&app, "ada@example.com").await, before + 1);
    }

    async fn a_device_that_several_people_use_is_known_for_each(engine) {
        let app = TestApp::spawn(engine).await;
        let emails = ["ada@example.com", "eve@example.com"];
        let mut tokens = None;
        for email in emails {
            sign_up(&mut app.client().await, email).await;
            login_from(&app, email, None).await;
        }
        for _ in 0..3 {
            for email in emails {
                tokens = device(&login_from(&app, email, tokens).await);
            }
        }
        for email in emails {
            assert_eq!(notices(&app, email).await, 1, "{email}");
        }
    }

    async fn a_new_password_forgets_the_devices(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, "ada@example.com").await;
        login_from(&app, "ada@example.com", None).await;
        let reset = app.reset("ada@example.com").await;
        app.client().await.reset_password(reset.reset_by_token(NEW_PASSWORD)).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM devices").await, 0);
    }

    async fn no_more_devices_are_remembered_than_make_sense(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, "ada@example.com").await;
        for _ in 0..53 {
            login_from(&app, "ada@example.com", None).await;
            app.clock.advance(std::time::Duration::from_secs(1));
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM devices").await, 50);
    }

    async fn a_browser_is_known_by_a_cookie_that_outlives_the_session(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, "ada@example.com").await;
        for (page, name, same_site) in [
            (PAGE, "__Host-countersign-device", &["SameSite=Lax"][..]),
            (CROSS_SITE_PAGE, "__Host-countersign-x-device", &["SameSite=None", "Partitioned"][..]),
        ] {
            login_from(&app, "ada@example.com", None).await;
            let mut browser = Browser::new(Http { address: app.address, version: Version::Http2, tls: None }, page);
            let before = notices(&app, "ada@example.com").await;
            let signed_in = browser.login("ada@example.com").await;
            assert_eq!(signed_in.tokens, None);
            assert_eq!(notices(&app, "ada@example.com").await, before + 1);
            let cookie = browser.device.clone().unwrap();
            assert_eq!(cookie.name, name);
            assert!(cookie.value.starts_with("cs_dt_"));
            let common = ["Path=/", "Secure", "HttpOnly", "Max-Age=34560000"];
            let expected: BTreeSet<String> = common.iter().chain(same_site).map(ToString::to_string).collect();
            assert_eq!(cookie.attributes, expected);

            let (answer, _) = browser.call::<countersign::proto::LogoutResponse>("Logout", &countersign::proto::LogoutRequest::default()).await;
            answer.unwrap();
            assert!(browser.jar.is_empty());
            assert_eq!(browser.device.as_ref(), Some(&cookie), "a browser that signs out is no other");
            browser.login("ada@example.com").await;
            assert_eq!(notices(&app, "ada@example.com").await, before + 1);
        }
        assert_eq!(TokenDelivery::Cookie as i32, 2);
    }
}
