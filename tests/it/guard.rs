//! Cross-site request forgery: what a hostile page can make a browser send never reaches a handler.
//!
//! Over HTTP/2, and only there, tonic runs a call whatever its method and content type are; over HTTP/1.1 tonic-web answers
//! the same request with 400. A browser speaks HTTP/2 over TLS, so the tests of HTTP/1.1 alone would hide the hole.
//! The guard stands before the database, hence one engine.

use countersign::proto::{LogoutRequest, auth_service_client::AuthServiceClient};
use http::{Method, StatusCode};
use tonic::Status;

use crate::support::{
    CROSS_SITE_PAGE, Engine, PAGE,
    browser::Browser,
    grpc::{sign_up, sign_up_request, summary},
    http::{Encoding, Http, Reply},
    tls::Listener,
};

const WEB: &str = "application/grpc-web+proto";
const TEXT: &str = "application/grpc-web-text+proto";
const NATIVE: &str = "application/grpc";
const ASKED: (&str, &str) = ("x-grpc-web", "1");

type Lines = Vec<(&'static str, &'static str)>;

/// A request that must not run: the victim's cookies and a good body come on top.
#[derive(Debug)]
struct Forgery {
    method: Method,
    headers: Lines,
    refusal: Refusal,
}

#[derive(Debug)]
enum Refusal {
    NotPost,
    NotGrpc,
    /// With this message, framed as this content type.
    Forbidden(String, &'static str),
}

impl Refusal {
    fn check(&self, reply: &Reply, what: &str) {
        match self {
            Self::NotPost => {
                assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{what}");
                assert_eq!(reply.header("allow"), Some("POST"), "{what}");
            }
            Self::NotGrpc => {
                assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{what}");
                let why = String::from_utf8_lossy(&reply.body);
                assert!(why.starts_with("this is a gRPC service: the content type must be exactly "), "{what}: {why}");
            }
            Self::Forbidden(message, content_type) => {
                assert_eq!(reply.status, StatusCode::OK, "{what}");
                assert_eq!(reply.header("content-type"), Some(*content_type), "{what}");
                let status = Status::from_header_map(&reply.headers).expect(what);
                assert_eq!(summary(&status), "PermissionDenied FORBIDDEN", "{what}");
                assert_eq!(status.message(), message, "{what}");
                assert!(reply.body.is_empty(), "{what}");
            }
        }
    }
}

/// All else is right: a listed page that has asked.
fn wrong_content_types() -> Vec<Forgery> {
    let of = |content_types: &[&'static str]| {
        let lines = content_types.iter().map(|content_type| ("content-type", *content_type));
        let headers = lines.chain([("origin", PAGE), ASKED]).collect();
        Forgery { method: Method::POST, headers, refusal: Refusal::NotGrpc }
    };
    let single = [
        "",
        "text/plain",
        "text/plain;charset=UTF-8",
        "text/plain;application/grpc-web+proto",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json",
        "application/octet-stream",
        "application/proto",
        "application/connect+proto",
        "application/grpc-web+json",
        "application/grpc-web+proto; charset=utf-8",
        "application/grpc-web+proto;",
        "application/grpc-web-text; charset=utf-8",
        "application/grpc; charset=utf-8",
        "application/grpc, text/plain",
        "Application/Grpc-Web",
    ];
    let others = [&[][..], &[WEB, WEB], &[WEB, "text/plain"], &["text/plain", NATIVE]];
    single.iter().map(|content_type| of(&[content_type])).chain(others.into_iter().map(of)).collect()
}

/// The same, for the method.
fn wrong_methods() -> Vec<Forgery> {
    let methods = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "post", "PROPFIND"];
    let of = |method: &str, content_type| Forgery {
        method: method.parse().unwrap(),
        headers: vec![("content-type", content_type), ("origin", PAGE), ASKED],
        refusal: Refusal::NotPost,
    };
    methods.iter().flat_map(|method| [WEB, TEXT, NATIVE].map(|content_type| of(method, content_type))).collect()
}

/// Real calls, from pages that may not make them.
fn wrong_pages() -> Vec<Forgery> {
    let mut all: Vec<(Lines, String)> = Vec::new();
    let strangers = [
        "null",
        "https://evil.test",
        "https://example.com",
        "https://blog.example.com",
        "https://app.example.com.evil.test",
        "https://evil.test/https://app.example.com",
        "https://evilapp.example.com",
        "https://app.example.co",
        "https://app.example.com:444",
        "http://app.example.com",
        "HTTPS://APP.EXAMPLE.COM",
        "*",
    ];
    for stranger in strangers {
        let why = format!("origin {stranger} is not in browser.same_site_origins or browser.cross_site_origins");
        all.push((vec![("origin", stranger)], why.clone()));
        all.push((vec![("origin", stranger), ASKED], why));
    }
    for site in ["cross-site", "same-site", "none", "same-origin, same-origin"] {
        let why = "origin null is not in browser.same_site_origins or browser.cross_site_origins";
        all.push((vec![("origin", "null"), ("sec-fetch-site", site), ASKED], why.to_owned()));
    }
    for second in [PAGE, CROSS_SITE_PAGE, "https://evil.test"] {
        let two = vec![("origin", PAGE), ("origin", second), ASKED];
        all.push((two, "there is more than one origin header".to_owned()));
    }
    for page in [PAGE, CROSS_SITE_PAGE] {
        all.push((vec![("origin", page)], "the header x-grpc-web: 1 is missing".to_owned()));
    }
    let framings = [WEB, TEXT, NATIVE];
    let of = |content_type, (headers, why): &(Lines, String)| Forgery {
        method: Method::POST,
        headers: [&[("content-type", content_type)], headers.as_slice()].concat(),
        refusal: Refusal::Forbidden(why.clone(), content_type),
    };
    let mut forgeries: Vec<_> =
        framings.into_iter().flat_map(|content_type| all.iter().map(move |one| of(content_type, one))).collect();
    // No browser speaks native gRPC, where cookies count for nothing.
    let no_page = "a cookie must come with an origin header; servers send authorization: Bearer";
    for (headers, why) in [
        (vec![], no_page),
        (vec![ASKED], no_page),
        (vec![ASKED, ("sec-fetch-site", "same-site")], no_page),
        (vec![("sec-fetch-site", "same-origin")], "the header x-grpc-web: 1 is missing"),
    ] {
        let one = (headers, why.to_owned());
        forgeries.extend([WEB, TEXT].map(|content_type| of(content_type, &one)));
    }
    forgeries
}

/// Somebody with a session, in whose browser hostile pages are open.
struct Victim<'a> {
    listener: &'a Listener,
    browser: Browser,
    email: String,
}

impl<'a> Victim<'a> {
    async fn new(listener: &'a Listener, http: Http) -> Self {
        let email = format!("victim.{:?}@example.com", http.version);
        sign_up(&mut AuthServiceClient::new(listener.channel().await), &email).await;
        let mut browser = Browser::new(http, PAGE);
        browser.login(&email).await;
        Self { listener, browser, email }
    }

    /// Sends the cookies and the body of a good call.
    async fn send(&self, method: &Method, name: &str, headers: &[(&str, &str)]) -> Reply {
        let encoding = if headers.contains(&("content-type", TEXT)) { Encoding::Text } else { Encoding::Binary };
        let body = match name {
            "SignUp" => encoding.body(&sign_up_request(&format!("forged.{}", self.email))),
            _ => encoding.body(&LogoutRequest { everywhere: true }),
        };
        let cookies = self.browser.cookies();
        let cookies = cookies.iter().map(|field| ("cookie", field.as_str()));
        let headers: Vec<_> = cookies.chain(headers.iter().copied()).collect();
        self.browser.http.send(method.clone(), &format!("/countersign.v1.AuthService/{name}"), &headers, body).await
    }

    /// How many accounts there are, and how many open sessions.
    async fn counts(&self) -> (i64, i64) {
        let database = &self.listener.app.database;
        let people = database.number("SELECT COUNT(*) FROM users").await;
        (people, database.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").await)
    }
}

async fn nothing_runs(forgeries: Vec<Forgery>) {
    for listener in Listener::both(Engine::Sqlite, |_| {}).await {
        for http in listener.each_version() {
            let cell = format!("{:?}, TLS: {}", http.version, listener.tls.is_some());
            let mut victim = Victim::new(&listener, http).await;
            let (people, sessions) = victim.counts().await;
            for forgery in &forgeries {
                let what = format!("{cell}: {forgery:?}");
                for name in ["SignUp", "Logout"] {
                    let reply = victim.send(&forgery.method, name, &forgery.headers).await;
                    forgery.refusal.check(&reply, &what);
                    assert_eq!(reply.header("set-cookie"), None, "{what}");
                }
                assert_eq!(victim.counts().await, (people, sessions), "nothing ran: {what}");
            }

            // The test of the test: with nothing wrong, the same bodies and cookies run.
            for content_type in [WEB, TEXT] {
                let headers = [("content-type", content_type), ("origin", PAGE), ASKED];
                victim.send(&Method::POST, "SignUp", &headers).await;
                victim.send(&Method::POST, "Logout", &headers).await;
                assert_eq!(victim.counts().await, (people + 1, sessions - 1), "{cell}, {content_type}");
                victim.browser.login(&victim.email.clone()).await;
                victim.listener.app.database.execute("DELETE FROM users WHERE email LIKE 'forged%'").await;
            }
        }
    }
}

#[tokio::test]
async fn a_call_of_another_content_type_does_not_run() {
    nothing_runs(wrong_content_types()).await;
}

#[tokio::test]
async fn a_call_by_another_method_than_post_does_not_run() {
    nothing_runs(wrong_methods()).await;
}

#[tokio::test]
async fn a_call_from_a_page_that_is_not_listed_or_has_not_asked_does_not_run() {
    nothing_runs(wrong_pages()).await;
}

#[tokio::test]
async fn a_body_on_a_preflight_does_not_run() {
    for listener in Listener::both(Engine::Sqlite, |_| {}).await {
        for http in listener.each_version() {
            let victim = Victim::new(&listener, http).await;
            let before = victim.counts().await;
            for origin in [PAGE, "https://evil.test"] {
                let headers =
                    [("content-type", WEB), ("origin", origin), ASKED, ("access-control-request-method", "POST")];
                for name in ["SignUp", "Logout"] {
                    let reply = victim.send(&Method::OPTIONS, name, &headers).await;
                    assert_eq!((reply.status, reply.body.len()), (StatusCode::OK, 0), "{origin}");
                }
            }
            assert_eq!(victim.counts().await, before, "nothing ran");
        }
    }
}
