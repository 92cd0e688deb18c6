//! Cookies that do not count, and what becomes of them: taken away when they will never be good again, else left alone.

use countersign::proto::{
    LoginRequest, LoginResponse, LogoutRequest, LogoutResponse, RefreshRequest, RefreshResponse, TokenDelivery,
    WhoAmIRequest, WhoAmIResponse,
};
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

use super::{ADA, BOB, Profile, browsers};
use crate::support::{
    PAGE, TestApp,
    browser::{Browser, SetCookie},
    grpc::{login_request, sign_up, summary},
    http::{Encoding, Http, Version},
    on_both_engines,
};

const LIVE: &str = "SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL";

/// Calls all that look at cookies, with these cookies and headers.
async fn each(
    browser: &Browser,
    cookies: &[String],
    headers: &[(&str, &str)],
) -> [(Result<(), String>, Vec<SetCookie>); 3] {
    let told = |status: Status| summary(&status);
    let (who, set) = browser.call_with::<WhoAmIResponse>("WhoAmI", &WhoAmIRequest {}, cookies, headers).await;
    let who = (who.map(drop).map_err(told), set);
    let (refresh, set) =
        browser.call_with::<RefreshResponse>("Refresh", &RefreshRequest::default(), cookies, headers).await;
    let refresh = (refresh.map(drop).map_err(told), set);
    let (leave, set) = browser.call_with::<LogoutResponse>("Logout", &LogoutRequest::default(), cookies, headers).await;
    [who, refresh, (leave.map(drop).map_err(told), set)]
}

/// All are refused like this, and leave the cookies alone.
fn assert_refused(answers: &[(Result<(), String>, Vec<SetCookie>)], refusal: &str, what: &str) {
    for (answer, set) in answers {
        assert_eq!(answer.as_ref().unwrap_err(), refusal, "{what}");
        assert_eq!(*set, [], "{what}");
    }
}

/// All are refused like this, and take the cookies away.
fn assert_cleared(answers: &[(Result<(), String>, Vec<SetCookie>)], refusal: &str, profile: &Profile) {
    for (answer, set) in answers {
        assert_eq!(answer.as_ref().unwrap_err(), refusal);
        profile.assert_deleted(set);
    }
}

on_both_engines! {
    async fn two_cookies_of_one_name_are_refused_and_cleared(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, ADA).await;
        for (profile, mut browser) in browsers(&app) {
            browser.login(ADA).await;
            let own = browser.cookies().join("; ");
            for name in [profile.access, profile.refresh] {
                for value in [browser.jar[name].as_str(), "planted", ""] {
                    let second = format!("{name}={value}");
                    for fields in
                        [vec![own.clone(), second.clone()], vec![second.clone(), own.clone()], vec![format!("{own}; {second}")]]
                    {
                        let answers = each(&browser, &fields, &[]).await;
                        assert_cleared(&answers, "Unauthenticated TOKEN_INVALID", profile);
                    }
                }
            }
            assert!(each(&browser, &[own], &[]).await.iter().all(|(answer, _)| answer.is_ok()), "the session is as it was");
        }
    }

    async fn what_is_no_token_is_refused_and_cleared_and_an_empty_cookie_is_none(engine) {
        let app = TestApp::spawn(engine).await;
        for (profile, browser) in browsers(&app) {
            let pair = |access: &str, refresh: &str| [format!("{}={access}; {}={refresh}", profile.access, profile.refresh)];
            let answers = each(&browser, &pair("v4.public.AAAA", "cs_rt_AAAA"), &[]).await;
            assert_cleared(&answers, "Unauthenticated TOKEN_INVALID", profile);
            assert_refused(&each(&browser, &pair("", ""), &[]).await, "Unauthenticated NOT_SIGNED_IN", "empty");
        }
    }

    async fn the_cookies_of_the_other_profile_do_not_count(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, ADA).await;
        for (profile, mut browser) in browsers(&app) {
            browser.login(ADA).await;
            let own = browser.cookies();
            let other = browsers(&app).into_iter().find(|(other, _)| other.page != profile.page).unwrap();
            let stranger = Browser { page: other.0.page, ..browser.clone() };
            assert_refused(&each(&stranger, &own, &[]).await, "Unauthenticated NOT_SIGNED_IN", other.0.page);
            let live = app.database.number(LIVE).await;
            assert!(each(&browser, &own, &[]).await.iter().all(|(answer, _)| answer.is_ok()), "where they belong they do");
            assert_eq!(app.database.number(LIVE).await, live - 1, "and sign out");
        }
    }

    async fn native_grpc_knows_no_cookies(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, ADA).await;
        let (profile, mut browser) = browsers(&app).remove(0);
        browser.login(ADA).await;
        let pages = [vec![], vec![("origin", profile.page), ("x-grpc-web", "1")]];
        for headers in pages {
            let cookie = browser.cookies().join("; ");
            let lines = [headers.as_slice(), &[("cookie", cookie.as_str())]].concat();
            let refusals = [
                client.who_am_i(with(WhoAmIRequest {}, &lines)).await.map(drop).unwrap_err(),
                client.refresh(with(RefreshRequest::default(), &lines)).await.map(drop).unwrap_err(),
                client.logout(with(LogoutRequest::default(), &lines)).await.map(drop).unwrap_err(),
            ];
            for refusal in refusals {
                assert_eq!(summary(&refusal), "Unauthenticated NOT_SIGNED_IN");
                assert!(refusal.metadata().get("set-cookie").is_none());
            }
        }
        assert_eq!(app.database.number(LIVE).await, 1);
    }

    async fn cookies_are_given_to_pages_alone(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, ADA).await;
        let login = LoginRequest { delivery: TokenDelivery::Cookie.into(), ..login_request(ADA) };
        let refresh = RefreshRequest { delivery: TokenDelivery::Cookie.into(), ..RefreshRequest::default() };
        let expected = "InvalidArgument INVALID_FIELDS delivery";
        for lines in [vec![], vec![("origin", PAGE), ("x-grpc-web", "1")]] {
            let refused = client.login(with(login.clone(), &lines)).await.map(drop).unwrap_err();
            assert_eq!(summary(&refused), expected, "native");
            let refused = client.refresh(with(refresh.clone(), &lines)).await.map(drop).unwrap_err();
            assert_eq!(summary(&refused), expected, "native");
        }
        for version in [Version::Http1, Version::Http2] {
            for encoding in [Encoding::Binary, Encoding::Text] {
                let http = Http { address: app.address, version, tls: None };
                let (answer, headers) = http.call::<LoginResponse>(encoding, "Login", &login, &[]).await;
                assert_eq!(summary(&answer.unwrap_err()), expected);
                assert_eq!(SetCookie::all(&headers), []);
                let (answer, headers) = http.call::<RefreshResponse>(encoding, "Refresh", &refresh, &[]).await;
                assert_eq!(summary(&answer.unwrap_err()), expected);
                assert_eq!(SetCookie::all(&headers), []);
            }
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions").await, 0, "no session was opened");
    }

    async fn nobody_acts_as_somebody_else_than_they_see(engine) {
        let app = TestApp::spawn(engine).await;
        let bob = app.signed_in(BOB).await.tokens.unwrap();
        sign_up(&mut app.client().await, ADA).await;
        for (profile, mut browser) in browsers(&app) {
            browser.login(ADA).await;
            let live = app.database.number(LIVE).await;
            let theirs = format!("Bearer {}", bob.access_token);
            let [who, _, leave] = each(&browser, &browser.cookies(), &[("authorization", &theirs)]).await;
            assert_cleared(&[who, leave], "Unauthenticated TOKEN_INVALID", profile);
            assert_eq!(app.database.number(LIVE).await, live, "both sessions are as they were");

            browser.login(ADA).await;
            let own = format!("Bearer {}", browser.jar[profile.access]);
            let [who, _, leave] = each(&browser, &browser.cookies(), &[("authorization", &own)]).await;
            assert_eq!((who.0, leave.0), (Ok(()), Ok(())), "twice the same is one");
        }
    }

    async fn a_fault_of_ours_leaves_the_cookies_alone(engine) {
        let mut app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, ADA).await;
        let mut all = browsers(&app);
        for (_, browser) in &mut all {
            browser.login(ADA).await;
        }

        app.database.execute("ALTER TABLE sessions RENAME TO away").await;
        for (_, browser) in &all {
            assert_refused(&each(browser, &browser.cookies(), &[]).await, "Internal INTERNAL", "no table");
        }
        app.database.execute("ALTER TABLE away RENAME TO sessions").await;
        app.store.close().await.unwrap();
        for (_, browser) in &all {
            assert_refused(&each(browser, &browser.cookies(), &[]).await, "Unavailable UNAVAILABLE", "no database");
            let (answer, _) =
                browser.call_with::<RefreshResponse>("Refresh", &RefreshRequest::default(), &browser.cookies(), &[]).await;
            let details = answer.unwrap_err().get_error_details();
            assert!(details.retry_info().unwrap().retry_delay.is_some(), "when to try again");
        }

        app = app.restart().await;
        for (_, browser) in &mut all {
            browser.http.address = app.address;
            assert!(each(browser, &browser.cookies(), &[]).await.iter().all(|(answer, _)| answer.is_ok()), "still good");
        }
    }

    async fn where_cookies_are_switched_off_they_are_neither_set_nor_read(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, ADA).await;
        let mut all = browsers(&app);
        for (_, browser) in &mut all {
            browser.login(ADA).await;
        }
        let app = app.restart_with(|setup| setup.server.origins = setup.server.origins.clone().without_cookies()).await;
        let live = app.database.number(LIVE).await;
        for (_, mut browser) in all {
            browser.http.address = app.address;
            let answers = each(&browser, &browser.cookies(), &[]).await;
            assert_refused(&answers, "Unauthenticated NOT_SIGNED_IN", browser.page);
            let request = LoginRequest { delivery: TokenDelivery::Cookie.into(), ..login_request(ADA) };
            let (answer, set) = browser.call::<LoginResponse>("Login", &request).await;
            assert_eq!(summary(&answer.unwrap_err()), "InvalidArgument INVALID_FIELDS delivery");
            assert_eq!(set, []);

            let junk = each(&browser, &[], &[("authorization", "Bearer junk")]).await;
            assert_eq!(junk[0], (Err("Unauthenticated TOKEN_INVALID".to_owned()), vec![]));
            assert_eq!(app.database.number(LIVE).await, live);
            let (answer, set) = browser.call::<LoginResponse>("Login", &login_request(ADA)).await;
            let Some(countersign::proto::login_response::Outcome::SignedIn(signed_in)) = answer.unwrap().outcome else {
                panic!("signed in")
            };
            assert_eq!(set, []);
            let bearer = format!("Bearer {}", signed_in.tokens.unwrap().access_token);
            let [who, _, leave] = each(&browser, &[], &[("authorization", &bearer)]).await;
            assert_eq!([who, leave], [(Ok(()), vec![]), (Ok(()), vec![])], "pages bring their tokens themselves");
        }
    }
}

/// A native call with these headers.
fn with<T>(message: T, lines: &[(&'static str, &str)]) -> Request<T> {
    let mut request = Request::new(message);
    for (name, value) in lines {
        request.metadata_mut().append(*name, value.parse().unwrap());
    }
    request
}
