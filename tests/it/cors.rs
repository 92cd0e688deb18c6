//! Which pages a browser lets read our answers, refusals included: the listed ones, with credentials.

use std::collections::BTreeSet;

use countersign::{grpc::Origins, proto::WhoAmIRequest};
use http::{Method, StatusCode};

use crate::support::{
    CROSS_SITE_PAGE, Engine, PAGE, TestApp,
    grpc::{login_request, sign_up_request},
    http::{Encoding, Http, Reply, Version},
    tls::Listener,
};

const PATH: &str = "/countersign.v1.AuthService/Login";
/// Nobody lists these, however much some look like it.
const STRANGERS: [&str; 9] = [
    "https://evil.test",
    "https://blog.example.com",
    "https://app.example.com.evil.test",
    "https://evilapp.example.com",
    "https://app.example.co",
    "https://app.example.com:8443",
    "http://app.example.com",
    "HTTPS://APP.EXAMPLE.COM",
    "null",
];

async fn preflight(http: &Http, origin: &str) -> Reply {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,x-grpc-web,x-user-agent"),
    ];
    http.send(Method::OPTIONS, PATH, &headers, "").await
}

/// The names in a list of them.
fn names(reply: &Reply, header: &str) -> BTreeSet<String> {
    let list = reply.header(header).unwrap_or_default();
    list.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()).collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(ToOwned::to_owned).into()
}

#[tokio::test]
async fn a_listed_page_may_ask() {
    for listener in Listener::both(Engine::Sqlite, |_| {}).await {
        for http in listener.each_version() {
            for page in [PAGE, CROSS_SITE_PAGE] {
                let reply = preflight(&http, page).await;
                assert_eq!(reply.status, StatusCode::OK);
                assert_eq!(reply.header("access-control-allow-origin"), Some(page));
                assert_eq!(reply.header("access-control-allow-credentials"), Some("true"));
                assert_eq!(reply.header("access-control-allow-methods"), Some("POST"));
                assert_eq!(reply.header("access-control-max-age"), Some("7200"));
                assert_eq!(
                    names(&reply, "access-control-allow-headers"),
                    set([
                        "authorization",
                        "content-type",
                        "grpc-timeout",
                        "x-grpc-web",
                        "x-request-id",
                        "x-user-agent"
                    ])
                );
                assert!(names(&reply, "vary").contains("origin"), "caches tell pages apart");
                assert!(reply.body.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn no_other_page_may_ask() {
    for listener in Listener::both(Engine::Sqlite, |_| {}).await {
        for http in listener.each_version() {
            for stranger in STRANGERS {
                let reply = preflight(&http, stranger).await;
                assert_eq!(reply.header("access-control-allow-origin"), None, "{stranger}");
                assert!(names(&reply, "vary").contains("origin"), "{stranger}");
            }
        }
    }
}

#[tokio::test]
async fn a_listed_page_can_read_successes_and_every_kind_of_refusal() {
    for listener in Listener::both(Engine::Sqlite, |_| {}).await {
        for http in listener.each_version() {
            for (page, encoding) in [(PAGE, Encoding::Binary), (CROSS_SITE_PAGE, Encoding::Text)] {
                let from = [("origin", page)];
                let sign_up = sign_up_request("ada@example.com");
                let success = http.post(encoding, "SignUp", &sign_up, &from).await;
                let refused = http.post(encoding, "Login", &login_request("nobody@example.com"), &from).await;
                let invalid = http.post(encoding, "SignUp", &sign_up_request("nobody"), &from).await;
                let unknown = http.post(encoding, "Nothing", &WhoAmIRequest {}, &from).await;
                let overdue =
                    http.post(encoding, "SignUp", &sign_up, &[("origin", page), ("grpc-timeout", "0n")]).await;
                let content_type = [("content-type", encoding.content_type()), ("origin", page)];
                let unasked = http.send(Method::POST, PATH, &content_type, encoding.body(&sign_up)).await;
                let not_grpc = http.send(Method::POST, PATH, &from, "").await;
                for reply in [&success, &refused, &invalid, &unknown, &overdue, &unasked, &not_grpc] {
                    assert_eq!(reply.header("access-control-allow-origin"), Some(page), "{reply:?}");
                    assert_eq!(reply.header("access-control-allow-credentials"), Some("true"), "{reply:?}");
                    assert_eq!(
                        names(reply, "access-control-expose-headers"),
                        set(["grpc-message", "grpc-status", "grpc-status-details-bin", "x-request-id"]),
                        "{reply:?}"
                    );
                    assert!(names(reply, "vary").contains("origin"), "{reply:?}");
                }
                // Trailers only: a script finds the refusal in the headers or nowhere.
                for (reply, code) in
                    [(&refused, "16"), (&invalid, "3"), (&unknown, "12"), (&overdue, "4"), (&unasked, "7")]
                {
                    assert_eq!(reply.header("grpc-status"), Some(code), "{reply:?}");
                    assert!(reply.header("content-type").unwrap().starts_with(encoding.content_type()), "{reply:?}");
                    assert!(reply.body.is_empty(), "{reply:?}");
                }
                for reply in [&refused, &invalid, &unasked] {
                    assert!(reply.header("grpc-message").is_some(), "{reply:?}");
                    assert!(reply.header("grpc-status-details-bin").is_some(), "{reply:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn no_other_page_can_read_an_answer() {
    for listener in Listener::both(Engine::Sqlite, |_| {}).await {
        for http in listener.each_version() {
            for stranger in STRANGERS {
                let from = [("origin", stranger)];
                let refused = http.post(Encoding::Binary, "Login", &login_request("nobody@example.com"), &from).await;
                let keys = http.send(Method::GET, "/.well-known/countersign/keys", &from, "").await;
                for reply in [refused, keys] {
                    assert_eq!(reply.header("access-control-allow-origin"), None, "{stranger}: {reply:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn without_pages_there_is_no_cors() {
    let app = TestApp::with(Engine::Sqlite, |setup| setup.server.origins = Origins::default()).await;
    for version in [Version::Http1, Version::Http2] {
        let http = Http { address: app.address, version, tls: None };
        let reply = preflight(&http, PAGE).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
        assert!(!reply.headers.keys().any(|name| name.as_str().starts_with("access-control-")), "{reply:?}");
    }
}
