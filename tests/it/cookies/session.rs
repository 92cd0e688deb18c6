//! A browser's session from the first sign-in to the last sign-out.

use std::{collections::BTreeMap, time::Duration};

use countersign::proto::{
    LoginRequest, LoginResponse, LogoutRequest, LogoutResponse, RefreshRequest, RefreshResponse, SignUpResponse,
    TokenDelivery, WhoAmIRequest, WhoAmIResponse, login_response::Outcome,
};

use super::{ADA, BOB, IDLE, SAME_SITE, browsers};
use crate::support::{
    TestApp,
    browser::{Browser, SetCookie},
    grpc::{login_request, sign_up, sign_up_request, summary},
    http::{Encoding, Reply},
    on_both_engines,
};

/// Past the access token's 300 seconds and the leeway of 30.
const AGED: Duration = Duration::from_secs(331);

fn by(delivery: TokenDelivery) -> RefreshRequest {
    RefreshRequest { delivery: delivery.into(), ..RefreshRequest::default() }
}

/// Whether a token, or what begins like one, is anywhere in an answer but in its `set-cookie` headers.
fn leaks(reply: &Reply, encoding: Encoding) -> bool {
    let is_token = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.contains("v4.public") || text.contains("cs_rt_")
    };
    let mut others = reply.headers.iter().filter(|(name, _)| *name != "set-cookie");
    is_token(&reply.body) || is_token(&reply.frames(encoding)) || others.any(|(_, value)| is_token(value.as_bytes()))
}

async fn caller(browser: &mut Browser) -> Result<String, String> {
    let (answer, set) = browser.call::<WhoAmIResponse>("WhoAmI", &WhoAmIRequest {}).await;
    if answer.is_ok() {
        assert_eq!(set, [], "asking changes no cookie");
    }
    answer.map(|answer| answer.user.unwrap().email).map_err(|status| summary(&status))
}

on_both_engines! {
    async fn signing_in_puts_the_tokens_into_cookies_and_nowhere_else(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, ADA).await;
        for (profile, browser) in browsers(&app) {
            let request = LoginRequest { delivery: TokenDelivery::Cookie.into(), ..login_request(ADA) };
            let from = [("origin", profile.page)];
            let reply = browser.http.post(browser.encoding, "Login", &request, &from).await;
            assert!(!leaks(&reply, browser.encoding), "{reply:?}");
            profile.values(&SetCookie::all(&reply.headers), IDLE);
            let message: LoginResponse = reply.message(browser.encoding).unwrap();
            let Some(Outcome::SignedIn(signed_in)) = message.outcome else { panic!("signed in") };
            assert_eq!(signed_in.tokens, None);
            assert_eq!(signed_in.user.unwrap().email, ADA);

            let in_body = browser.http.post(browser.encoding, "Login", &login_request(ADA), &from).await;
            assert!(leaks(&in_body, browser.encoding), "the test of the test");
            assert_eq!(SetCookie::all(&in_body.headers), []);
        }
    }

    async fn the_cookies_alone_are_the_credential_in_however_many_fields_they_come(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, ADA).await;
        for (profile, mut browser) in browsers(&app) {
            assert_eq!(caller(&mut browser).await.unwrap_err(), "Unauthenticated NOT_SIGNED_IN");
            let signed_in = browser.login(ADA).await;
            assert_eq!(caller(&mut browser).await.unwrap(), ADA);
            let access = format!("{}={}", profile.access, browser.jar[profile.access]);
            let refresh = format!("{}={}", profile.refresh, browser.jar[profile.refresh]);
            let other = "theme=dark".to_owned();
            for fields in [
                vec![access.clone()],
                vec![format!("{other}; {refresh}; {access}")],
                vec![other.clone(), access.clone()],
                vec![refresh.clone(), other.clone(), access.clone(), "last=1".to_owned()],
                vec![format!("{other}; {refresh}"), format!("{access}; last=1")],
            ] {
                let answer = browser.call_with::<WhoAmIResponse>("WhoAmI", &WhoAmIRequest {}, &fields, &[]).await.0;
                assert_eq!(answer.unwrap().session, signed_in.session, "{fields:?}");
            }
            let fields = [other, refresh];
            let answer = browser.call_with::<RefreshResponse>("Refresh", &RefreshRequest::default(), &fields, &[]).await.0;
            assert_eq!(answer.unwrap().signed_in.unwrap().session, signed_in.session);
        }
    }

    async fn what_came_by_cookie_is_renewed_by_cookie(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, ADA).await;
        for (profile, mut browser) in browsers(&app) {
            browser.login(ADA).await;
            for delivery in [TokenDelivery::Unspecified, TokenDelivery::Cookie] {
                let (cookies, before) = (browser.cookies(), browser.jar.clone());
                let mut headers: Vec<_> = cookies.iter().map(|field| ("cookie", field.as_str())).collect();
                headers.push(("origin", profile.page));
                let reply = browser.http.post(browser.encoding, "Refresh", &by(delivery), &headers).await;
                assert!(!leaks(&reply, browser.encoding), "{reply:?}");
                let message: RefreshResponse = reply.message(browser.encoding).unwrap();
                assert_eq!(message.signed_in.unwrap().tokens, None);
                let (access, refresh) = profile.values(&SetCookie::all(&reply.headers), IDLE);
                assert!(access != before[profile.access] && refresh != before[profile.refresh], "both are new");
                browser.jar = BTreeMap::from([(profile.access.to_owned(), access), (profile.refresh.to_owned(), refresh)]);
                assert_eq!(caller(&mut browser).await.unwrap(), ADA);
            }

            let generations = "SELECT CAST(SUM(generation) AS BIGINT) FROM sessions";
            let before = app.database.number(generations).await;
            for delivery in [TokenDelivery::Body.into(), 99] {
                let request = RefreshRequest { delivery, ..RefreshRequest::default() };
                let (answer, set) = browser.call::<RefreshResponse>("Refresh", &request).await;
                assert_eq!(summary(&answer.unwrap_err()), "InvalidArgument INVALID_FIELDS delivery");
                assert_eq!(set, []);
            }
            assert_eq!(app.database.number(generations).await, before, "nothing moved");
        }
    }

    async fn cookies_live_as_long_as_the_refresh_token_in_them(engine) {
        let day = Duration::from_hours(24);
        let app = TestApp::with(engine, |setup| setup.policy.sessions.absolute = 8 * day).await;
        sign_up(&mut app.client().await, ADA).await;
        let mut all = browsers(&app);
        for (_, browser) in &mut all {
            browser.login(ADA).await;
        }
        app.clock.advance(6 * day);
        for (profile, mut browser) in all {
            let (answer, set) = browser.call::<RefreshResponse>("Refresh", &RefreshRequest::default()).await;
            assert!(answer.is_ok());
            profile.values(&set, 2 * 86_400);
        }
    }

    async fn an_aged_access_cookie_is_told_from_none_and_can_be_renewed(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, ADA).await;
        for (profile, mut browser) in browsers(&app) {
            browser.login(ADA).await;
            app.clock.advance(AGED);
            let (answer, set) = browser.call::<WhoAmIResponse>("WhoAmI", &WhoAmIRequest {}).await;
            assert_eq!(summary(&answer.unwrap_err()), "Unauthenticated TOKEN_EXPIRED");
            assert_eq!(set, [], "the refresh cookie is still good");
            browser.call::<RefreshResponse>("Refresh", &by(TokenDelivery::Cookie)).await.0.unwrap();
            assert_eq!(caller(&mut browser).await.unwrap(), ADA);

            browser.jar.remove(profile.access);
            assert_eq!(caller(&mut browser).await.unwrap_err(), "Unauthenticated NOT_SIGNED_IN");
            browser.call::<RefreshResponse>("Refresh", &by(TokenDelivery::Cookie)).await.0.unwrap();
            assert_eq!(caller(&mut browser).await.unwrap(), ADA);
        }
    }

    async fn signing_out_deletes_the_cookies_and_a_copy_of_them_is_worth_nothing(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, ADA).await;
        for (number, (profile, mut browser)) in browsers(&app).into_iter().enumerate() {
            browser.login(ADA).await;
            let mut copy = browser.clone();
            // Either this session, whose access token may have expired, or all of them.
            let is_aged = number % 2 == 0;
            if is_aged {
                app.clock.advance(AGED);
            }
            let leave = LogoutRequest { everywhere: !is_aged };
            let (answer, set) = browser.call::<LogoutResponse>("Logout", &leave).await;
            answer.unwrap();
            profile.assert_deleted(&set);
            assert!(browser.jar.is_empty());
            let live = app.database.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").await;
            assert_eq!(live, 0);

            let jar = copy.jar.clone();
            let (answer, set) = copy.call::<RefreshResponse>("Refresh", &RefreshRequest::default()).await;
            assert_eq!(summary(&answer.unwrap_err()), "Unauthenticated SESSION_ENDED");
            profile.assert_deleted(&set);
            copy.jar = jar;
            let (answer, set) = copy.call::<WhoAmIResponse>("WhoAmI", &WhoAmIRequest {}).await;
            if is_aged {
                assert_eq!(summary(&answer.unwrap_err()), "Unauthenticated TOKEN_EXPIRED");
                assert_eq!(set, []);
            } else {
                assert_eq!(summary(&answer.unwrap_err()), "Unauthenticated SESSION_ENDED");
                profile.assert_deleted(&set);
            }
        }
    }

    async fn a_page_of_the_services_own_origin_needs_no_listing(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, ADA).await;
        let request = LoginRequest { delivery: TokenDelivery::Cookie.into(), ..login_request(ADA) };
        for (_, browser) in browsers(&app) {
            // Only the browser can say so: to scripts the name is forbidden.
            let headers = [("origin", "https://auth.example.com"), ("sec-fetch-site", "same-origin")];
            let reply = browser.http.post(browser.encoding, "Login", &request, &headers).await;
            reply.message::<LoginResponse>(browser.encoding).unwrap();
            SAME_SITE.values(&SetCookie::all(&reply.headers), IDLE);
        }
    }

    async fn no_session_is_fixed_before_the_sign_in(engine) {
        let app = TestApp::spawn(engine).await;
        for (number, (profile, mut victim)) in browsers(&app).into_iter().enumerate() {
            let (ada, bob) = (format!("{number}.{ADA}"), format!("{number}.{BOB}"));
            let (answer, set) = victim.call::<SignUpResponse>("SignUp", &sign_up_request(&ada)).await;
            answer.unwrap();
            assert_eq!(set, [], "no cookie before there is a session");
            sign_up(&mut app.client().await, &bob).await;

            let mut attacker = victim.clone();
            let theirs = attacker.login(&bob).await.session.unwrap();
            let chosen = [(profile.access, "v4.public.chosen"), (profile.refresh, "cs_rt_chosen")];
            let chosen = BTreeMap::from(chosen.map(|(name, value)| (name.to_owned(), value.to_owned())));
            let mut sessions = vec![theirs.id];
            let mut values: Vec<_> = attacker.jar.values().cloned().collect();
            // Their own live session, values of their choice, and then the victim's own session from before.
            for planted in [Some(attacker.jar.clone()), Some(chosen.clone()), None] {
                victim.jar = planted.unwrap_or(victim.jar);
                let session = victim.login(&ada).await.session.unwrap();
                assert!(!sessions.contains(&session.id), "a session of its own");
                sessions.push(session.id);
                for value in victim.jar.values() {
                    assert!(!values.contains(value) && !chosen.values().any(|other| other == value));
                    values.push(value.clone());
                }
                assert_eq!(caller(&mut victim).await.unwrap(), ada);
            }
            assert_eq!(caller(&mut attacker).await.unwrap(), bob, "still who they were");
            attacker.jar = chosen;
            assert_eq!(caller(&mut attacker).await.unwrap_err(), "Unauthenticated TOKEN_INVALID");
        }
    }
}
