//! What is asked with every request costs the database nothing, and a service with the Rust client not even a call: counted.

use std::{collections::HashMap, convert::Infallible, time::Duration};

use countersign::{
    domain::BackendKey,
    proto::{Tokens, VerifyTokenRequest, WhoAmIRequest},
};
use countersign_client::{AuthLayer, Feed, OnStale};
use envoy_types::{
    ext_authz::v3::pb::CheckRequest,
    pb::envoy::service::auth::v3::{AttributeContext, attribute_context, authorization_client::AuthorizationClient},
};
use http::{Method, Request, Response, StatusCode};
use tonic::transport::Channel;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::{
    support::{
        Engine, TestApp,
        grpc::{summary, with_bearer},
        http::{Http, Version},
        process::in_time,
        proxy::Proxy,
    },
    token_service::{ask, connect, let_in, verify},
};

const CALLS: usize = 1_000;

/// The tables that are looked at beside all calls, whether there are any or not.
const BESIDE: [&str; 2] = ["revocation_feed", "outbox"];

/// Whoever asks, each in its way.
struct Askers<'a> {
    app: &'a TestApp,
    tokens: Tokens,
    key: BackendKey,
}

const WAYS: [&str; 4] = ["WhoAmI", "VerifyToken", "/verify", "ext_authz"];

impl<'a> Askers<'a> {
    async fn of(app: &'a TestApp) -> Self {
        let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
        let key = let_in(app, "gateway", &["countersign"]).await;
        let askers = Self { app, tokens, key };
        for way in WAYS {
            askers.ask(way, 1).await;
        }
        askers
    }

    async fn ask(&self, way: &str, times: usize) {
        let (app, token) = (self.app, &self.tokens.access_token);
        let bearer = format!("Bearer {token}");
        match way {
            "WhoAmI" => {
                let mut client = app.client().await;
                for _ in 0..times {
                    client.who_am_i(with_bearer(WhoAmIRequest {}, token)).await.unwrap();
                }
            }
            "VerifyToken" => {
                let mut client = connect(app).await;
                for _ in 0..times {
                    assert!(verify(&mut client, &self.key, ask(token)).await.unwrap().status.unwrap().active);
                }
            }
            "/verify" => {
                let http = Http { address: app.address, version: Version::Http1, tls: None };
                for _ in 0..times {
                    let reply = http.send(Method::GET, "/verify", &[("authorization", &bearer)], "").await;
                    assert_eq!(reply.status, StatusCode::NO_CONTENT);
                }
            }
            _ => {
                let channel = Channel::from_shared(app.url.clone()).unwrap().connect().await.unwrap();
                let headers = HashMap::from([("authorization".to_owned(), bearer)]);
                let http = attribute_context::HttpRequest { method: "GET".to_owned(), headers, ..Default::default() };
                let request = attribute_context::Request { http: Some(http), ..Default::default() };
                let attributes = AttributeContext { request: Some(request), ..Default::default() };
                for _ in 0..times {
                    let request = CheckRequest { attributes: Some(attributes.clone()) };
                    let answer = AuthorizationClient::new(channel.clone()).check(request).await.unwrap();
                    assert_eq!(answer.into_inner().status.unwrap().code, 0);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_costs_postgresql_no_statement() {
    let app = TestApp::spawn(Engine::Postgres).await;
    let proxy = Proxy::before(app.database.port()).await;
    let app = app.restart_with(|setup| setup.database_port = Some(proxy.port)).await;
    let askers = Askers::of(&app).await;
    let statements = || {
        let is_for_a_call = |statement: &String| !BESIDE.iter().any(|table| statement.contains(table));
        proxy.heard().1.into_iter().filter(is_for_a_call).collect::<Vec<_>>()
    };
    statements();
    for way in WAYS {
        askers.ask(way, CALLS).await;
        assert_eq!(statements(), Vec::<String>::new(), "{way}");
    }
    // The count counts.
    let mut client = connect(&app).await;
    for _ in 0..10 {
        let strong = VerifyTokenRequest { strong: true, ..ask(&askers.tokens.access_token) };
        verify(&mut client, &askers.key, strong).await.unwrap();
    }
    assert_eq!(statements().len(), 10);
}

/// SQLite counts nothing; but nothing can be asked of a file that is closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_needs_no_sqlite() {
    let app = TestApp::with(Engine::Sqlite, |setup| setup.policy.staleness.after = Duration::from_hours(1)).await;
    let askers = Askers::of(&app).await;
    app.store.close().await.unwrap();
    for way in WAYS {
        askers.ask(way, CALLS).await;
    }
    let strong = VerifyTokenRequest { strong: true, ..ask(&askers.tokens.access_token) };
    let refusal = verify(&mut connect(&app).await, &askers.key, strong).await.unwrap_err();
    assert_eq!(summary(&refusal), "Unavailable UNAVAILABLE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_layer_of_the_rust_client_calls_nobody() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let proxy = Proxy::before(app.address.port()).await;
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let token = app.signed_in("ada@example.com").await.tokens.unwrap().access_token;
    let key = let_in(&app, "gateway", &["countersign"]).await;
    let verifier = app.verifier(&url).feed(Feed::new(key.expose()).url(&url).on_stale(OnStale::Introspect)).build();
    let verifier = verifier.unwrap();
    let service = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(String::new())) });
    let service = AuthLayer::new(verifier.clone()).layer(service);
    let call = async || {
        let request = Request::builder().header("authorization", format!("Bearer {token}")).body(()).unwrap();
        service.clone().oneshot(request).await.unwrap().status()
    };
    in_time(async { while verifier.revocations_age().unwrap() > Duration::from_secs(1) {} }).await;
    assert_eq!(call().await, StatusCode::OK);

    proxy.heard();
    for _ in 0..CALLS {
        assert_eq!(call().await, StatusCode::OK);
    }
    // What the connection of the feed says about itself, and not a byte for each call.
    assert!(proxy.heard().0 < CALLS);
}
