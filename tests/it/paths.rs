//! Path confusion: a path that a proxy and we might read differently is nobody's method (CVE-2026-33186 and its relatives).

use http::{HeaderMap, Method, StatusCode};

use crate::support::{
    Engine,
    grpc::sign_up_request,
    http::{Http, Version, frame},
    tls::Listener,
};

const METHOD: &str = "/countersign.v1.AuthService/SignUp";
const FORMS: [&str; 35] = [
    "//countersign.v1.AuthService/SignUp",
    "///countersign.v1.AuthService/SignUp",
    "/countersign.v1.AuthService//SignUp",
    "/countersign.v1.AuthService/SignUp/",
    "/countersign.v1.AuthService/SignUp//",
    "/countersign.v1.AuthService/SignUp/.",
    "/countersign.v1.AuthService/./SignUp",
    "/./countersign.v1.AuthService/SignUp",
    "/x/../countersign.v1.AuthService/SignUp",
    "/healthz/../countersign.v1.AuthService/SignUp",
    "/countersign.v1.AuthService/WhoAmI/../SignUp",
    "/countersign.v1.AuthService/..;/SignUp",
    "/c%6funtersign.v1.AuthService/SignUp",
    "/countersign%2Ev1.AuthService/SignUp",
    "/countersign.v1.AuthService%2FSignUp",
    "/countersign.v1.AuthService/%53ignUp",
    "/%63ountersign.v1.AuthService/SignUp",
    "/countersign.v1.AuthService/SignUp%20",
    "/countersign.v1.AuthService/SignUp%00",
    "/countersign.v1.AuthService/SignUp%0a",
    "/countersign.v1.AuthService/SignUp;x=y",
    "/countersign.v1.AuthService/SignUp,",
    "/countersign.v1.AuthService/SignUp:",
    "/Countersign.v1.AuthService/SignUp",
    "/countersign.v1.authservice/SignUp",
    "/countersign.v1.AuthService/signup",
    "/countersign.v1.AuthService/sign_up",
    "/COUNTERSIGN.V1.AUTHSERVICE/SIGNUP",
    "/countersign.v1.AuthService/Nothing",
    "/countersign.v1.AuthService/",
    "/countersign.v1.AuthService",
    "/countersign.v2.AuthService/SignUp",
    "/AuthService/SignUp",
    "/SignUp",
    "/",
];

/// Each as clients send it, over raw HTTP: their libraries would tidy the path up.
const WIRES: [(Version, &str); 3] = [
    (Version::Http1, "application/grpc-web+proto"),
    (Version::Http2, "application/grpc-web+proto"),
    (Version::Http2, "application/grpc"),
];

/// Signs somebody up at that path, and returns the answer's status and those of its headers that do not always change.
async fn sign_up_at(http: &Http, path: &str, content_type: &str, email: &str) -> (StatusCode, HeaderMap) {
    let headers = [("content-type", content_type), ("te", "trailers"), ("x-grpc-web", "1")];
    let reply = http.send(Method::POST, path, &headers, frame(&sign_up_request(email))).await;
    let mut headers = reply.headers;
    headers.remove("x-request-id").unwrap();
    headers.remove("date").unwrap();
    (reply.status, headers)
}

#[tokio::test]
async fn only_the_exact_path_is_a_method_and_all_others_are_answered_alike() {
    for listener in Listener::both(Engine::Sqlite, |_| {}).await {
        let people = || listener.app.database.number("SELECT COUNT(*) FROM users");
        for (number, (version, content_type)) in (1..).zip(WIRES) {
            let (http, email) = (listener.http(version), format!("ada{number}@example.com"));
            let unknown = sign_up_at(&http, "/example.Unknown/Unknown", content_type, &email).await;
            assert_eq!(unknown.0, StatusCode::OK);
            assert_eq!(unknown.1["grpc-status"], "12", "{version:?} {content_type}");
            for form in FORMS {
                let answer = sign_up_at(&http, form, content_type, &email).await;
                assert_eq!(answer, unknown, "{version:?} {content_type} {form}");
            }
            assert_eq!(people().await, number - 1, "nothing ran");

            sign_up_at(&http, METHOD, content_type, &email).await;
            assert_eq!(people().await, number, "the body is good");
        }
    }
}
