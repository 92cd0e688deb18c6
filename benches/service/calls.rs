//! WhoAmI and VerifyToken beside a server that only answers, and one that looks at a signature too.

use std::sync::Arc;

use bytes::Bytes;
use countersign::proto::{
    VerifyTokenRequest, WhoAmIRequest, auth_service_client::AuthServiceClient, token_service_client::TokenServiceClient,
};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tonic::transport::Channel;

use super::{
    fixture::{Fixture, with_bearer},
    load::{Outcome, closed},
    peers::{ECHO, ECHO_AND_VERIFY},
    process::Running,
    table,
};

/// So many at once,
const CLIENTS: usize = 32;
/// over so many connections,
const CONNECTIONS: usize = 2;
/// so many calls in each of so many turns; the first turn warms up and does not count.
const CALLS: usize = 8_000;
const TURNS: usize = 6;
/// As many people as are active at once, as far as a cache can tell.
pub const PEOPLE: usize = 64;

/// Where the calls go.
#[derive(Clone)]
pub struct Target {
    channels: Arc<[Channel]>,
    url: Arc<str>,
    fixture: Arc<Fixture>,
    web: Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>,
}

impl Target {
    pub async fn new(server: &Running, fixture: &Arc<Fixture>) -> Self {
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS {
            channels.push(Channel::from_shared(server.url()).unwrap().connect().await.unwrap());
        }
        let web = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(CLIENTS).build_http();
        Self { channels: channels.into(), url: server.url().into(), fixture: Arc::clone(fixture), web }
    }

    fn channel(&self, number: usize) -> Channel {
        self.channels[number % self.channels.len()].clone()
    }

    pub async fn call(self, rpc: Rpc, number: usize, token: usize) {
        match rpc {
            Rpc::WhoAmI => self.who_am_i(number, token).await,
            Rpc::WhoAmIOverWeb => self.who_am_i_over_web(token).await,
            Rpc::VerifyToken => self.verify_token(number, token).await,
        }
    }

    async fn who_am_i(self, number: usize, token: usize) {
        let request = with_bearer(WhoAmIRequest {}, &self.fixture.tokens[token]);
        AuthServiceClient::new(self.channel(number)).who_am_i(request).await.unwrap();
    }

    async fn verify_token(self, number: usize, token: usize) {
        let question = VerifyTokenRequest { token: self.fixture.tokens[token].clone(), ..Default::default() };
        let request = with_bearer(question, &self.fixture.backend);
        let answer = TokenServiceClient::new(self.channel(number)).verify_token(request).await.unwrap();
        assert!(answer.into_inner().status.unwrap().active);
    }

    async fn who_am_i_over_web(self, token: usize) {
        let request = http::Request::post(format!("{}/countersign.v1.AuthService/WhoAmI", self.url))
            .header("content-type", "application/grpc-web+proto")
            .header("x-grpc-web", "1")
            .header("authorization", format!("Bearer {}", self.fixture.tokens[token]))
            .body(Full::from(&[0_u8; 5][..]))
            .unwrap();
        let answer = self.web.request(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
        assert!(answer.len() > 100, "{answer:?}");
    }
}

/// What is called.
#[derive(Clone, Copy)]
pub enum Rpc {
    WhoAmI,
    WhoAmIOverWeb,
    VerifyToken,
}

/// With which tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tokens {
    /// Those of [`PEOPLE`], again and again.
    Known,
    /// One that was not seen before, each time.
    New,
}

/// The servers, in this order.
const BARE: usize = 0;
const WITH_VERIFY: usize = 1;
const SERVICE: usize = 2;

const ROWS: [(&str, usize, Rpc, Tokens); 9] = [
    ("WhoAmI's messages, bare tonic", BARE, Rpc::WhoAmI, Tokens::Known),
    ("… and one Ed25519 verification", WITH_VERIFY, Rpc::WhoAmI, Tokens::New),
    ("WhoAmI, tokens seen before", SERVICE, Rpc::WhoAmI, Tokens::Known),
    ("WhoAmI, new tokens", SERVICE, Rpc::WhoAmI, Tokens::New),
    ("WhoAmI, gRPC-web over HTTP/1.1, tokens seen before", SERVICE, Rpc::WhoAmIOverWeb, Tokens::Known),
    ("VerifyToken's messages, bare tonic", BARE, Rpc::VerifyToken, Tokens::Known),
    ("… and one Ed25519 verification", WITH_VERIFY, Rpc::VerifyToken, Tokens::New),
    ("VerifyToken, tokens seen before", SERVICE, Rpc::VerifyToken, Tokens::Known),
    ("VerifyToken, new tokens", SERVICE, Rpc::VerifyToken, Tokens::New),
];

/// Measures, and prints.
pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let service = Running::service(folder.path(), &[]);
    let fixture = Arc::new(Fixture::create(&service, folder.path(), PEOPLE + ROWS.len() * TURNS * CALLS).await);
    let answers = folder.path().join("answers");
    fixture.answers(&service, &answers).await;
    let servers = [Running::peer(ECHO, &answers), Running::peer(ECHO_AND_VERIFY, &answers), service];
    let mut targets = Vec::new();
    for server in &servers {
        targets.push(Target::new(server, &fixture).await);
    }
    let mut outcomes: [Outcome; ROWS.len()] = Default::default();
    for turn in 0..TURNS {
        for (row, (_, server, rpc, tokens)) in ROWS.into_iter().enumerate() {
            let (target, first) = (targets[server].clone(), PEOPLE + (row * TURNS + turn) * CALLS);
            let call = move |number| {
                let token = if tokens == Tokens::New { first + number } else { number % PEOPLE };
                target.clone().call(rpc, number, token)
            };
            let outcome = closed(&servers[server], CLIENTS, CALLS, call).await;
            if turn > 0 {
                outcomes[row].add(outcome);
            }
        }
    }
    table::calls_head();
    for ((name, ..), outcome) in ROWS.iter().zip(&outcomes) {
        table::calls(name, outcome);
    }
    table::limits_head();
    let cost = outcomes.each_ref().map(Outcome::cpu_per_call);
    table::limit("WhoAmI, new tokens / bare tonic and one verification", cost[3] / cost[1], 1.25, "");
    table::limit("WhoAmI, tokens seen before / bare tonic", cost[2] / cost[0], 2.0, "");
    table::limit("WhoAmI, gRPC-web over HTTP/1.1 / native", cost[4] / cost[2], 1.4, "");
    table::limit("VerifyToken, new tokens / bare tonic and one verification", cost[8] / cost[6], 1.25, "");
    table::limit("VerifyToken, tokens seen before / bare tonic", cost[7] / cost[5], 2.0, "");
}
