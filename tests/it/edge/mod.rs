//! Nodes without a database, which verify what another node tells them of: the binary, over the wire.

mod asking;
mod following;
mod half_told;
mod setup;
mod staleness;
mod tls;

use std::{collections::HashMap, time::Duration};

use countersign::{
    domain::BackendKey,
    proto::{LogoutRequest, token_service_client::TokenServiceClient},
};
use envoy_types::pb::envoy::service::auth::v3::{
    AttributeContext, CheckRequest, attribute_context, authorization_client::AuthorizationClient,
};
use http::Method;
use tonic::{Code, transport::Channel};

use crate::{
    support::{
        Database,
        grpc::{login, sign_up, with_bearer},
        http::{Headers, Http, Reply, Version},
        process::{Binary, Serving, in_time},
    },
    token_service::{Tokens, ask, verify},
};

pub const ADA: &str = "ada@example.com";

/// A node with a database, on its own.
pub struct Origin {
    pub binary: Binary,
    pub serving: Serving,
    /// Of a service that may ask.
    pub key: BackendKey,
    /// Of an edge.
    pub edge_key: String,
}

impl Origin {
    pub async fn start(database: &Database) -> Self {
        Self::with(Binary::default().patient().with("COUNTERSIGN_DATABASE__URL", database.url(None))).await
    }

    /// With SQLite, where it makes it by itself.
    pub async fn alone() -> Self {
        Self::with(Binary::default().patient()).await
    }

    pub async fn with(binary: Binary) -> Self {
        let key = let_in(&binary, &["--name", "gateway"]).await;
        let edge_key = let_in(&binary, &["--name", "edge", "--edge"]).await;
        let serving = binary.serve().await;
        Self { binary, serving, key: BackendKey::from_text(key), edge_key }
    }

    /// An edge that follows whatever answers at `upstream`.
    pub fn edge(&self, upstream: &str) -> Binary {
        Binary::default().with("COUNTERSIGN_EDGE__KEY", &self.edge_key).with("COUNTERSIGN_EDGE__UPSTREAM", upstream)
    }

    /// One that follows this node, and knows all.
    pub async fn filled_edge(&self, change: impl FnOnce(Binary) -> Binary) -> Edge {
        let edge = Edge::start(change(self.edge(&self.serving.url))).await;
        until_ready(&edge.serving).await;
        edge
    }

    /// The access token of somebody with a new session.
    pub async fn signed_in(&self, email: &str) -> String {
        let mut client = self.serving.client().await;
        sign_up(&mut client, email).await;
        login(&mut client, email).await.unwrap().tokens.unwrap().access_token
    }

    pub async fn log_out(&self, token: &str) {
        let request = with_bearer(LogoutRequest::default(), token);
        self.serving.client().await.logout(request).await.unwrap();
    }

    /// What an operator does.
    pub async fn command(&self, arguments: &[&str]) {
        let output = self.binary.run(arguments).await;
        assert_eq!(output.code, Some(0), "{output:?}");
    }

    /// Killed, as by a power cut.
    pub async fn kill(self) -> Stopped {
        let Self { binary, serving, key, edge_key } = self;
        let address = serving.address.to_string();
        serving.signal("KILL").await;
        serving.ended().await;
        Stopped { binary, address, key, edge_key }
    }
}

/// A node that is down.
pub struct Stopped {
    binary: Binary,
    address: String,
    key: BackendKey,
    edge_key: String,
}

impl Stopped {
    /// What an operator does meanwhile.
    pub async fn command(&self, arguments: &[&str]) {
        let output = self.binary.run(arguments).await;
        assert_eq!(output.code, Some(0), "{output:?}");
    }

    /// Starts again where it was.
    pub async fn start(self) -> Origin {
        let Self { binary, address, key, edge_key } = self;
        let serving = Serving::new(binary.start(&["serve", "--listen", &address])).await;
        Origin { binary, serving, key, edge_key }
    }
}

/// Lets a service in, and gives its key.
pub async fn let_in(binary: &Binary, arguments: &[&str]) -> String {
    let output = binary.run(&[&["backend", "create"], arguments].concat()).await;
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout.trim_end().to_owned()
}

/// An edge, and who asks it.
pub struct Edge {
    pub binary: Binary,
    pub serving: Serving,
    pub client: Tokens,
}

impl Edge {
    pub async fn start(binary: Binary) -> Self {
        let serving = Serving::new(binary.start(&["edge", "--listen", "127.0.0.1:0"])).await;
        let client = TokenServiceClient::connect(serving.url.clone()).await.unwrap();
        Self { binary, serving, client }
    }

    /// Whether a token counts.
    pub async fn is_active(&mut self, key: &BackendKey, token: &str) -> Result<bool, Code> {
        let answer = verify(&mut self.client, key, ask(token)).await.map_err(|status| status.code())?;
        Ok(answer.status.unwrap().active)
    }

    /// Asks until that is the answer.
    pub async fn until(&mut self, key: &BackendKey, token: &str, expected: Result<bool, Code>) {
        in_time(async {
            while self.is_active(key, token).await != expected {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// The HTTP status of `GET /verify`.
    pub async fn verify(&self, token: &str) -> u16 {
        let bearer = format!("Bearer {token}");
        get(&self.serving, "/verify", &[("authorization", &bearer)]).await.status.as_u16()
    }

    /// What Envoy is told.
    pub async fn check(&self, token: &str) -> i32 {
        let headers = HashMap::from([("authorization".to_owned(), format!("Bearer {token}"))]);
        let http = attribute_context::HttpRequest { method: "GET".to_owned(), headers, ..Default::default() };
        let request = attribute_context::Request { http: Some(http), ..Default::default() };
        let attributes = AttributeContext { request: Some(request), ..Default::default() };
        let request = CheckRequest { attributes: Some(attributes) };
        AuthorizationClient::new(channel(&self.serving).await)
            .check(request)
            .await
            .unwrap()
            .into_inner()
            .status
            .unwrap()
            .code
    }

    /// How old it says its knowledge is.
    pub async fn age(&mut self, key: &BackendKey) -> Duration {
        let answer = verify(&mut self.client, key, ask("")).await.unwrap();
        answer.revocations_age.unwrap().try_into().unwrap()
    }
}

pub async fn channel(serving: &Serving) -> Channel {
    Channel::from_shared(serving.url.clone()).unwrap().connect().await.unwrap()
}

pub async fn get(serving: &Serving, path: &str, headers: Headers<'_>) -> Reply {
    let http = Http { address: serving.address, version: Version::Http1, tls: None };
    // On the heap: by itself as large as all that a test holds.
    Box::pin(http.send(Method::GET, path, headers, "")).await
}

pub async fn is_ready(serving: &Serving) -> bool {
    get(serving, "/readyz", &[]).await.status.is_success()
}

pub async fn until_ready(serving: &Serving) {
    in_time(async {
        while !is_ready(serving).await {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
