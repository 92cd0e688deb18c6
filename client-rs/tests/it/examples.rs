//! The examples run, beside the service as they expect it.

use std::process::Stdio;

use axum::http::Method;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};
use tonic::{Request, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::support::{
    Service, built,
    http::{get, send},
    in_time,
};

/// With the issuer that the development profile has.
async fn service(roles: &[&str]) -> Service {
    Service::with(roles, vec![("COUNTERSIGN_SERVER__PUBLIC_URL", "http://localhost:50051".to_owned())]).await
}

async fn run(example: &str, service: &Service) -> (Child, String) {
    let mut command = Command::new(built(&format!("examples/{example}")));
    command.args([&service.keys_url(), "127.0.0.1:0"]).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = in_time(lines.next_line()).await.unwrap().unwrap();
    (child, line.strip_prefix("listening on ").unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_one_on_axum_runs() {
    let service = service(&["admin"]).await;
    let (_child, url) = run("axum", &service).await;
    let token = service.login().await.access_token;
    let me = get(&format!("{url}/me"), &token).await;
    assert!(me.body.ends_with("with the roles [\"admin\"]\n"), "{}", me.outcome());
    assert_eq!(send(Method::GET, &format!("{url}/me"), &[]).await.outcome(), "401 NOT_SIGNED_IN");
    assert!(get(&format!("{url}/admin"), &token).await.body.ends_with("sees everything\n"));
    let bearer = format!("Bearer {token}");
    let deleted = send(Method::POST, &format!("{url}/delete"), &[("authorization", &bearer)]).await;
    assert!(deleted.body.ends_with("is gone\n"), "{}", deleted.outcome());
    assert_eq!(send(Method::GET, &url, &[]).await.body, "Hello, stranger\n");
    assert!(get(&url, &token).await.body.starts_with("Hello, 01"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_one_on_tonic_runs() {
    let service = service(&["admin"]).await;
    let (_child, url) = run("tonic", &service).await;
    let mut client = HealthClient::new(Channel::from_shared(url).unwrap().connect().await.unwrap());
    let refused = in_time(client.check(HealthCheckRequest::default())).await.unwrap_err();
    assert_eq!(refused.message(), "not signed in: no access token was sent");
    let mut request = Request::new(HealthCheckRequest::default());
    let bearer = format!("Bearer {}", service.login().await.access_token);
    request.metadata_mut().insert("authorization", bearer.parse().unwrap());
    let answer = in_time(client.check(request)).await.unwrap().into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving);
}
