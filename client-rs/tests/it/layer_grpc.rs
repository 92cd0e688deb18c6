//! A real tonic server behind the layer.

use std::time::Duration;

use axum::http::Method;
use countersign_client::{AuthLayer, Claims, Verifier};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status,
    transport::{Channel, Server},
};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_client::HealthClient,
    health_server::{Health, HealthServer},
};
use tonic_types::StatusExt as _;

use crate::support::{
    FakeClock, Forge, ISSUER, KeyServer,
    forge::{good, key_set, with},
    http::send,
    in_time,
};

/// Answers whose call it is, in the one place that the health protocol has for it.
struct Whose;

#[tonic::async_trait]
impl Health for Whose {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let claims = request.extensions().get::<Claims>();
        let mut response = Response::new(HealthCheckResponse::default());
        let whose = claims.map_or_else(|| "nobody".to_owned(), |claims| claims.user.to_string());
        response.metadata_mut().insert("whose", whose.parse().unwrap());
        Ok(response)
    }

    type WatchStream = tokio_stream::Empty<Result<HealthCheckResponse, Status>>;

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }
}

async fn serve(layer: AuthLayer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::builder().layer(layer).add_service(HealthServer::new(Whose));
    tokio::spawn(async move { server.serve_with_incoming(TcpListenerStream::new(listener)).await.unwrap() });
    url
}

async fn check(url: &str, token: Option<&str>) -> Result<String, Status> {
    let channel = Channel::from_shared(url.to_owned()).unwrap().connect().await.unwrap();
    let mut request = Request::new(HealthCheckRequest::default());
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let response = in_time(HealthClient::new(channel).check(request)).await?;
    Ok(response.metadata().get("whose").unwrap().to_str().unwrap().to_owned())
}

/// Code and reason, on one line, with what comes along.
fn summary(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!(info.domain, "countersign");
    let mut metadata: Vec<_> = info.metadata.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    metadata.sort();
    let retry = details
        .retry_info()
        .and_then(|retry| retry.retry_delay)
        .map_or(String::new(), |delay| format!(" retry={delay:?}"));
    format!("{:?} {}{}{retry}", status.code(), info.reason, metadata.concat())
}

async fn refused(url: &str, token: Option<&str>) -> String {
    summary(&check(url, token).await.unwrap_err())
}

#[tokio::test]
async fn a_call_is_refused_as_countersign_itself_would() {
    let (forge, clock) = (Forge::default(), FakeClock::default());
    let url = serve(AuthLayer::new(forge.builder(&clock).build().unwrap())).await;
    let token = forge.token(&[]);
    assert_eq!(check(&url, Some(&token)).await.unwrap(), "01a21249-4c42-7e9d-af60-cd2513ae5b02");
    assert_eq!(refused(&url, None).await, "Unauthenticated NOT_SIGNED_IN");
    assert_eq!(refused(&url, Some(&Forge::default().token(&[]))).await, "Unauthenticated TOKEN_INVALID");
    assert_eq!(refused(&url, Some("")).await, "Unauthenticated TOKEN_INVALID");
    clock.advance(Duration::from_secs(330));
    assert_eq!(refused(&url, Some(&token)).await, "Unauthenticated TOKEN_EXPIRED");
}

#[tokio::test]
async fn roles_and_freshness_are_permissions() {
    let forge = Forge::default();
    let admins = serve(AuthLayer::new(forge.verifier()).require_role("admin")).await;
    assert!(check(&admins, Some(&forge.token(&["admin"]))).await.is_ok());
    assert_eq!(refused(&admins, Some(&forge.token(&["support"]))).await, "PermissionDenied FORBIDDEN");
    assert_eq!(refused(&admins, None).await, "Unauthenticated NOT_SIGNED_IN");
    let fresh = serve(AuthLayer::new(forge.verifier()).require_fresh(Duration::from_mins(10))).await;
    assert!(check(&fresh, Some(&forge.token(&[]))).await.is_ok());
    let old = forge.sign(&with(&good(), "auth_time", json!("2027-01-15T07:49:59Z")));
    assert_eq!(refused(&fresh, Some(&old)).await, "PermissionDenied STEP_UP_REQUIRED max_age_seconds=600");
}

#[tokio::test]
async fn an_optional_token_may_be_left_out() {
    let forge = Forge::default();
    let url = serve(AuthLayer::new(forge.verifier()).optional()).await;
    assert_eq!(check(&url, None).await.unwrap(), "nobody");
    assert_eq!(refused(&url, Some("v4.public.x")).await, "Unauthenticated TOKEN_INVALID");
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_nobodys_fault() {
    let forge = Forge::default();
    let server = KeyServer::start(key_set(&[forge.entry()])).await;
    let verifier =
        Verifier::builder(ISSUER).keys_url(&server.url).clock(FakeClock::default().reader()).build().unwrap();
    server.stop().await;
    let url = serve(AuthLayer::new(verifier)).await;
    assert_eq!(refused(&url, Some(&forge.token(&[]))).await, "Unavailable UNAVAILABLE retry=1s");
}

#[tokio::test]
async fn a_grpc_web_call_reads_its_status_from_the_headers() {
    let forge = Forge::default();
    let router = axum::Router::new().fallback(async || "in").layer(AuthLayer::new(forge.verifier()));
    let url = crate::support::http::serve(router).await;
    for (asked, answered) in [
        ("application/grpc-web+proto", "application/grpc-web+proto"),
        ("application/grpc-web-text", "application/grpc-web-text"),
        ("application/grpc+proto", "application/grpc"),
        ("application/grpc", "application/grpc"),
    ] {
        let reply = send(Method::POST, &url, &[("content-type", asked)]).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("grpc-status"), reply.body.as_str()),
            (200, "16", ""),
            "{asked}"
        );
        assert_eq!(reply.header("content-type"), answered);
        assert!(!reply.header("grpc-status-details-bin").is_empty());
    }
    let reply = send(Method::POST, &url, &[("content-type", "application/json")]).await;
    assert_eq!(reply.outcome(), "401 NOT_SIGNED_IN");
}
