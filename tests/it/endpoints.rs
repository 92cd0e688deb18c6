//! What stands beside the RPCs: health, readiness, the public keys, the API's description of itself, and the deadline.

use http::{Method, StatusCode};
use serde_json::Value;
use tonic::{Code, Status};
use tonic_reflection::pb::{v1, v1alpha};

use crate::support::{
    Engine, PAGE, TestApp,
    grpc::{login_request, summary},
    http::{Encoding, Http, Reply, Version, frame},
};

fn http(app: &TestApp, version: Version) -> Http {
    Http { address: app.address, version, tls: None }
}

async fn get(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Reply {
    http(app, Version::Http1).send(Method::GET, path, headers, "").await
}

#[tokio::test]
async fn the_service_is_alive_without_its_database_but_not_ready() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    for version in [Version::Http1, Version::Http2] {
        for path in ["/healthz", "/readyz"] {
            let reply = http(&app, version).send(Method::GET, path, &[], "").await;
            assert_eq!(reply.status, StatusCode::OK, "{path} {version:?}");
        }
    }
    app.store.close().await.unwrap();
    assert_eq!(get(&app, "/healthz", &[]).await.status, StatusCode::OK);
    assert_eq!(get(&app, "/readyz", &[]).await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_public_keys_are_cacheable_and_hold_no_secret() {
    const PATH: &str = "/.well-known/countersign/keys";
    let app = TestApp::spawn(Engine::Sqlite).await;
    let reply = get(&app, PATH, &[]).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("public, max-age=300"));
    let keys: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(keys["issuer"], "https://auth.example.com");
    let [key] = keys["keys"].as_array().unwrap().as_slice() else { panic!("one key") };
    assert!(key["kid"].as_str().unwrap().starts_with("k4.pid."));
    assert!(key["key"].as_str().unwrap().starts_with("k4.public."));
    assert_eq!(key["status"], "active");
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    assert!(!text.contains("k4.secret") && !text.contains("k4.local") && !text.contains("v4.local"), "{text}");

    let etag = reply.header("etag").unwrap();
    let again = get(&app, PATH, &[("if-none-match", etag)]).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(get(&app, PATH, &[("if-none-match", "\"other\"")]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_says_what_a_browser_must_not_do_with_it() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let http = http(&app, Version::Http2);
    let call = async |headers: &[(&str, &str)]| {
        http.send(Method::POST, "/countersign.v1.AuthService/WhoAmI", headers, frame(&())).await
    };
    let web = call(&[("content-type", "application/grpc-web+proto"), ("x-grpc-web", "1")]).await;
    let from_a_page = call(&[("content-type", "application/grpc"), ("origin", "https://evil.example")]).await;
    // As a gateway asks, with what the visitor sent it.
    let asked_about = get(&app, "/verify", &[("content-type", "application/grpc")]).await;
    for reply in [web, from_a_page, asked_about, get(&app, "/healthz", &[]).await, get(&app, "/nothing", &[]).await] {
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply:?}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(reply.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
        assert_eq!(reply.header("x-request-id").unwrap().len(), 32);
    }
    // What no browser sends or shows has no use for them.
    let from_a_program = call(&[("content-type", "application/grpc")]).await;
    assert_eq!(from_a_program.header("x-request-id").unwrap().len(), 32);
    assert_eq!(from_a_program.header("content-security-policy"), None);
}

/// The services that the API's description lists, in both of its versions.
async fn described(app: &TestApp) -> Result<Vec<String>, Status> {
    let channel = tonic::transport::Channel::from_shared(app.url.clone()).unwrap().connect().await.unwrap();
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel.clone());
    let question = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(String::new())),
    };
    let mut answers = client.server_reflection_info(tokio_stream::once(question)).await?.into_inner();
    let answer = answers.message().await?.unwrap().message_response;
    let Some(v1::server_reflection_response::MessageResponse::ListServicesResponse(list)) = answer else {
        panic!("a list")
    };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let question = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::ListServices(String::new())),
    };
    client.server_reflection_info(tokio_stream::once(question)).await?;
    Ok(list.service.into_iter().map(|service| service.name).collect())
}

#[tokio::test]
async fn the_api_describes_itself_only_where_it_is_told_to() {
    let open = TestApp::spawn(Engine::Sqlite).await;
    let services = described(&open).await.unwrap();
    for name in ["countersign.v1.AuthService", "grpc.health.v1.Health"] {
        assert!(services.iter().any(|service| service == name), "{services:?}");
    }
    let closed = TestApp::with(Engine::Sqlite, |setup| setup.server.reflection = false).await;
    assert_eq!(described(&closed).await.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_deadline_is_kept_and_junk_is_not_taken_for_one() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    for (timeout, expected) in [
        ("0n", "DeadlineExceeded -"),
        ("1n", "DeadlineExceeded -"),
        ("soon", "InvalidArgument INVALID_FIELDS"),
        ("1s", "InvalidArgument INVALID_FIELDS"),
        ("-1S", "InvalidArgument INVALID_FIELDS"),
        ("123456789S", "InvalidArgument INVALID_FIELDS"),
        ("99999999H", "Unauthenticated BAD_CREDENTIALS"),
        ("30S", "Unauthenticated BAD_CREDENTIALS"),
    ] {
        // By hand: tonic's own client keeps the deadline itself.
        let headers = [("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", timeout)];
        let body = frame(&login_request("ada@example.com"));
        let path = "/countersign.v1.AuthService/Login";
        let native = http(&app, Version::Http2).send(Method::POST, path, &headers, body).await;
        assert_eq!(summary(&Status::from_header_map(&native.headers).unwrap()), expected, "{timeout}");

        for version in [Version::Http1, Version::Http2] {
            let (answer, headers) = http(&app, version)
                .call::<countersign::proto::LoginResponse>(
                    Encoding::Binary,
                    "Login",
                    &login_request("ada@example.com"),
                    &[("grpc-timeout", timeout), ("origin", PAGE)],
                )
                .await;
            assert_eq!(summary(&answer.unwrap_err()), expected, "{timeout} {version:?}");
            assert_eq!(headers["access-control-allow-origin"], PAGE, "readable by the page");
        }
    }
}
