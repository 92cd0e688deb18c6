//! However many people and however hostile, what is counted stays small, and nothing of theirs is in it.

use std::sync::Arc;

use countersign::proto::{
    ChangeEmailRequest, DESCRIPTOR, GetAccountRequest, RequestPasswordResetRequest, VerifyTokenRequest, WhoAmIRequest,
    account_service_client::AccountServiceClient,
};
use http::Method;
use prost_reflect::DescriptorPool;
use tokio::{sync::Semaphore, task::JoinSet};
use tonic::transport::Channel;

use super::{scrape, watched};
use crate::support::{
    Engine,
    grpc::{Client, login, login_request, refresh, sign_up, with_bearer},
    http::{Http, Version, frame},
};

type Account = AccountServiceClient<Channel>;

const USERS: usize = 1_000;
const MOST_SERIES: usize = 500;

/// Everything that a person does, with everything that goes wrong.
async fn live(mut client: Client, mut account: Account, n: usize) -> Vec<String> {
    let email = format!("person-{n}@example.com");
    sign_up(&mut client, &email).await;
    let mut wrong = login_request(&email);
    wrong.password = format!("wrong password {n}");
    client.login(wrong).await.unwrap_err();
    let signed_in = login(&mut client, &email).await.unwrap();
    let tokens = signed_in.tokens.unwrap();
    client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await.unwrap();
    client.request_password_reset(RequestPasswordResetRequest { email }).await.unwrap();
    let renewed = refresh(&mut client, &tokens.refresh_token).await.unwrap();
    account.get_account(with_bearer(GetAccountRequest {}, &renewed.access_token)).await.unwrap();
    let change = ChangeEmailRequest { email: format!("other-{n}@example.com") };
    account.change_email(with_bearer(change, &renewed.access_token)).await.unwrap();
    vec![tokens.access_token, renewed.refresh_token, signed_in.session.unwrap().id, signed_in.user.unwrap().id]
}

/// Calls every method in ways that get every code that strangers can get, and methods that there are not.
async fn attack(http: &Http, paths: &[String], n: usize) {
    let (agent, client) = (format!("canary-agent-{n}"), format!("203.0.113.{}", n % 250));
    let grpc = ("content-type", "application/grpc");
    let identity = [("user-agent", agent.as_str()), ("x-forwarded-for", client.as_str())];
    let unknown = [
        format!("/canary.Service{n}/Method{n}"),
        format!("/countersign.v1.AuthService/Canary{n}"),
        format!("/canary{n}"),
    ];
    let body = frame(&VerifyTokenRequest { token: "canary-token".to_owned(), ..Default::default() });
    for path in paths.iter().chain(&unknown) {
        for extra in [
            ("authorization", "Bearer canary-token"),
            ("grpc-timeout", "0n"),
            ("grpc-timeout", "canary"),
            ("grpc-encoding", "canary"),
            ("origin", "https://canary.test"),
            ("grpc-status", "7"),
        ] {
            let headers = [&[grpc, extra][..], &identity].concat();
            http.send(Method::POST, path, &headers, body.clone()).await;
        }
        http.send(Method::from_bytes(b"CANARY").unwrap(), path, &identity, "").await;
        http.send(Method::POST, path, &[&[grpc][..], &identity].concat(), vec![0; 600_000]).await;
    }
}

fn paths() -> Vec<String> {
    let pool = DescriptorPool::decode(DESCRIPTOR).unwrap();
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_few_series_and_nobody_is_in_them() {
    let trusted = vec!["127.0.0.0/8".parse().unwrap()];
    let app = watched(Engine::Sqlite, |setup| setup.server.trusted_proxies = trusted).await;
    let (client, account) = (app.client().await, app.account().await);
    let (mut people, at_once) = (JoinSet::new(), Arc::new(Semaphore::new(16)));
    for n in 0..USERS {
        let (client, account, at_once) = (client.clone(), account.clone(), Arc::clone(&at_once));
        people.spawn(async move {
            let _turn = at_once.acquire_owned().await.unwrap();
            live(client, account, n).await
        });
    }
    let secrets: Vec<String> = people.join_all().await.into_iter().flatten().collect();
    let http = Http { address: app.address, version: Version::Http2, tls: None };
    for n in 0..3 {
        attack(&http, &paths(), n).await;
    }
    app.deliver().await;

    let scrape = scrape(&app).await;
    assert!(scrape.get("sign_ins_total{outcome=\"ok\"}") >= 1_000.0);
    assert!(scrape.samples.len() <= MOST_SERIES, "{} series:\n{}", scrape.samples.len(), scrape.text);
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        assert!(!scrape.text.contains(secret.as_str()));
    }
    for part in ["@", "canary", "Canary", "CANARY", "203.0", "127.0", "person", "example"] {
        assert!(!scrape.text.contains(part), "{part}:\n{}", scrape.text);
    }
    // Of every label all values are known.
    let methods: Vec<String> = paths().iter().map(|path| path[1..].to_owned()).collect();
    for (name, value) in scrape.labels() {
        let is_known = match name.as_str() {
            "method" => value == "other" || methods.contains(&value),
            "code" => value.chars().all(|c| c.is_ascii_uppercase() || c == '_'),
            "version" => value == env!("CARGO_PKG_VERSION"),
            "le" => value == "+Inf" || value.parse::<f64>().is_ok(),
            "outcome" | "reason" | "state" | "kind" => value.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
            _ => false,
        };
        assert!(is_known, "{name}={value}");
    }
}
