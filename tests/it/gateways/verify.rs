//! `GET /verify`, as nginx, Caddy and Traefik ask.

use http::{Method, StatusCode};

use crate::support::{
    CROSS_SITE_PAGE, Engine, PAGE, TestApp,
    browser::Browser,
    grpc::with_bearer,
    http::{Http, Reply, Version},
};

const ADA: &str = "ada@example.com";

async fn verify(app: &TestApp, headers: &[(&str, &str)]) -> Reply {
    let http = Http { address: app.address, version: Version::Http1, tls: None };
    http.send(Method::GET, "/verify", headers, "").await
}

fn denied(reply: &Reply) -> (u16, Option<&str>) {
    for name in ["x-auth-user", "x-auth-session", "x-auth-roles", "x-auth-time", "x-auth-cookie"] {
        assert_eq!(reply.header(name), None, "{reply:?}");
    }
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    (reply.status.as_u16(), reply.header("www-authenticate"))
}

/// The cookies of somebody who signed in on `page`, as one field.
async fn cookies_of(app: &TestApp, page: &'static str) -> String {
    let mut browser = Browser::new(Http { address: app.address, version: Version::Http1, tls: None }, page);
    browser.login(ADA).await;
    browser.cookies().remove(0)
}

#[tokio::test]
async fn a_bearer_token_passes_and_says_whose_it_is() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let signed_in = app.signed_in(ADA).await;
    let (user, session) = (signed_in.user.unwrap(), signed_in.session.unwrap());
    let bearer = format!("Bearer {}", signed_in.tokens.unwrap().access_token);

    let reply = verify(&app, &[("authorization", &bearer), ("cookie", "theme=dark"), ("x-auth-user", "root")]).await;

    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert_eq!(reply.header("x-auth-user"), Some(user.id.as_str()));
    assert_eq!(reply.header("x-auth-session"), Some(session.id.as_str()));
    assert_eq!(reply.header("x-auth-roles"), Some(""));
    assert_eq!(reply.header("x-auth-time"), Some(session.authenticated_at.unwrap().seconds.to_string().as_str()));
    assert_eq!(reply.header("x-auth-cookie"), Some("theme=dark"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn what_is_not_sure_is_denied_with_a_challenge() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let tokens = app.signed_in(ADA).await.tokens.unwrap();
    let bearer = format!("Bearer {}", tokens.access_token);
    let invalid = "Bearer realm=\"countersign\", error=\"invalid_token\", error_description=\"TOKEN_INVALID\"";

    assert_eq!(denied(&verify(&app, &[]).await), (401, Some("Bearer realm=\"countersign\"")));
    for junk in ["Bearer x", "Basic YTpi", &format!("{bearer}."), &format!("Bearer {}", tokens.refresh_token)] {
        assert_eq!(denied(&verify(&app, &[("authorization", junk)]).await), (401, Some(invalid)), "{junk}");
    }
    let two = [("authorization", bearer.as_str()), ("authorization", bearer.as_str())];
    assert_eq!(denied(&verify(&app, &two).await), (401, Some(invalid)));

    let mut client = app.client().await;
    client.logout(with_bearer(countersign::proto::LogoutRequest::default(), &tokens.access_token)).await.unwrap();
    let ended = "Bearer realm=\"countersign\", error=\"invalid_token\", error_description=\"SESSION_ENDED\"";
    assert_eq!(denied(&verify(&app, &[("authorization", &bearer)]).await), (401, Some(ended)));

    let other = format!("Bearer {}", app.signed_in("bob@example.com").await.tokens.unwrap().access_token);
    app.clock.advance(app.setup.policy.access_lifetime * 2);
    let expired = "Bearer realm=\"countersign\", error=\"invalid_token\", error_description=\"TOKEN_EXPIRED\"";
    assert_eq!(denied(&verify(&app, &[("authorization", &other)]).await), (401, Some(expired)));
}

#[tokio::test]
async fn a_followed_link_passes_by_cookie_and_the_application_sees_no_cookie_of_ours() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    app.signed_in(ADA).await;
    let cookies = format!("a=b; {}; c=d", cookies_of(&app, PAGE).await);
    assert!(cookies.contains("__Host-countersign-access=") && cookies.contains("__Host-countersign-refresh="));
    for method in ["GET", "HEAD"] {
        let reply = verify(&app, &[("cookie", &cookies), ("x-forwarded-method", method)]).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{method}");
        assert_eq!(reply.header("x-auth-user").map(str::len), Some(36));
        assert_eq!(reply.header("x-auth-cookie"), Some("a=b; c=d"));
    }
}

#[tokio::test]
async fn a_cookie_counts_only_for_pages_that_may_call() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    app.signed_in(ADA).await;
    let same = cookies_of(&app, PAGE).await;
    let cross = cookies_of(&app, CROSS_SITE_PAGE).await;
    let get = ("x-forwarded-method", "GET");
    let post = ("x-forwarded-method", "POST");
    let unsigned = (401, Some("Bearer realm=\"countersign\""));
    for (headers, expected) in [
        // The application's own page.
        (vec![("cookie", same.as_str()), post, ("origin", PAGE)], (204, None)),
        (vec![("cookie", &same), post, ("sec-fetch-site", "same-origin")], (204, None)),
        (vec![("cookie", &same), get, ("origin", PAGE)], (204, None)),
        // A page of a listed other site has cookies of its own, and only those.
        (vec![("cookie", &cross), post, ("origin", CROSS_SITE_PAGE)], (204, None)),
        (vec![("cookie", &same), post, ("origin", CROSS_SITE_PAGE)], unsigned),
        (vec![("cookie", &cross), get], unsigned),
        // Forms, beacons, sockets and scripts of strangers.
        (vec![("cookie", &same), post, ("origin", "https://evil.test")], (403, None)),
        (vec![("cookie", &same), post, ("origin", "null")], (403, None)),
        (vec![("cookie", &same), get, ("origin", "https://evil.test")], (403, None)),
        (vec![("cookie", &cross), post, ("origin", "https://evil.test")], (403, None)),
        (vec![("cookie", &same), post, ("origin", "https://evil.test"), ("sec-fetch-site", "same-site")], (403, None)),
        (vec![("cookie", &same), post], (403, None)),
        // A gateway that keeps the method to itself, or is told two.
        (vec![("cookie", &same)], (403, None)),
        (vec![("cookie", &same), get, get], (403, None)),
        // Without a cookie of ours there is nothing to protect.
        (vec![("cookie", "a=b"), post, ("origin", "https://evil.test")], unsigned),
    ] {
        let reply = verify(&app, &headers).await;
        if expected.0 == 204 {
            assert_eq!(reply.status, StatusCode::NO_CONTENT, "{headers:?}");
        } else {
            assert_eq!(denied(&reply), expected, "{headers:?}");
        }
    }
}

#[tokio::test]
async fn a_bearer_token_leaves_the_cookies_aside() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let bob = app.signed_in("bob@example.com").await;
    app.signed_in(ADA).await;
    let bearer = format!("Bearer {}", bob.tokens.unwrap().access_token);
    let cookies = cookies_of(&app, PAGE).await;
    let reply =
        verify(&app, &[("authorization", &bearer), ("cookie", &cookies), ("origin", "https://evil.test")]).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert_eq!(reply.header("x-auth-user"), Some(bob.user.unwrap().id.as_str()));
    assert_eq!(reply.header("x-auth-cookie"), Some(""));
}

#[tokio::test]
async fn only_a_question_is_answered() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let http = Http { address: app.address, version: Version::Http1, tls: None };
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let reply = http.send(method, "/verify", &[], "").await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}
