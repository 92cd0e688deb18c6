//! An upstream that does not say everything: whatever an edge has heard, it answers nothing before it knows all.

use countersign::proto::{
    BatchVerifyTokensRequest, BatchVerifyTokensResponse, ListPublicKeysRequest, ListPublicKeysResponse,
    VerifyTokenRequest, VerifyTokenResponse, WatchRevocationsRequest, WatchRevocationsResponse,
    token_service_server::{TokenService, TokenServiceServer},
    watch_revocations_response::Event,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Code, Request, Response, Status};

use super::{ADA, Edge, Origin, is_ready, until_ready};
use crate::{
    support::{grpc::with_bearer, process::in_time},
    token_service::Tokens,
};

/// Tells on what the service tells, but for what it holds back.
struct Censor {
    origin: Tokens,
    key: String,
    /// Asks as an edge, or as services did before there were edges.
    as_edge: bool,
    lets_all_through: watch::Receiver<bool>,
    heartbeats: watch::Sender<usize>,
}

type Told = Result<WatchRevocationsResponse, Status>;

#[tonic::async_trait]
impl TokenService for Censor {
    type WatchRevocationsStream = ReceiverStream<Told>;

    async fn watch_revocations(
        &self,
        request: Request<WatchRevocationsRequest>,
    ) -> Result<Response<Self::WatchRevocationsStream>, Status> {
        let question = WatchRevocationsRequest { as_edge: self.as_edge, ..request.into_inner() };
        let mut told = self.origin.clone().watch_revocations(with_bearer(question, &self.key)).await?.into_inner();
        let (sender, receiver) = mpsc::channel(16);
        let (open, heartbeats) = (self.lets_all_through.clone(), self.heartbeats.clone());
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok(Some(message)) = told.message().await {
                let is_heartbeat = matches!(message.event, Some(Event::Heartbeat(_)));
                let is_harmless = is_heartbeat || matches!(message.event, Some(Event::ForEdge(_) | Event::Keys(_)));
                if !is_harmless && !*open.borrow() {
                    held.push(message);
                    continue;
                }
                let held = if *open.borrow() { std::mem::take(&mut held) } else { Vec::new() };
                for message in held.into_iter().chain([message]) {
                    if sender.send(Ok(message)).await.is_err() {
                        return;
                    }
                }
                heartbeats.send_modify(|count| *count += usize::from(is_heartbeat));
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn verify_token(&self, _: Request<VerifyTokenRequest>) -> Result<Response<VerifyTokenResponse>, Status> {
        Err(Status::unavailable("not here"))
    }

    async fn batch_verify_tokens(
        &self,
        _: Request<BatchVerifyTokensRequest>,
    ) -> Result<Response<BatchVerifyTokensResponse>, Status> {
        Err(Status::unavailable("not here"))
    }

    async fn list_public_keys(
        &self,
        _: Request<ListPublicKeysRequest>,
    ) -> Result<Response<ListPublicKeysResponse>, Status> {
        Err(Status::unavailable("not here"))
    }
}

/// Listens until the test ends; gives its URL, what opens it, and how many heartbeats it has told on.
async fn censor(origin: &Origin, as_edge: bool) -> (String, watch::Sender<bool>, watch::Receiver<usize>) {
    let (opening, lets_all_through) = watch::channel(false);
    let (heartbeats, counting) = watch::channel(0);
    let client = Tokens::connect(origin.serving.url.clone()).await.unwrap();
    let censor = Censor { origin: client, key: origin.edge_key.clone(), as_edge, lets_all_through, heartbeats };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tonic::transport::Server::builder().add_service(TokenServiceServer::new(censor));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    (url, opening, counting)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_that_knows_keys_and_not_yet_what_was_revoked_answers_nothing() {
    let origin = Origin::alone().await;
    let (token, ended) = (origin.signed_in(ADA).await, origin.signed_in("eve@example.com").await);
    origin.log_out(&ended).await;
    let (url, opening, mut heartbeats) = censor(&origin, true).await;
    let binary = origin.edge(&url).with("COUNTERSIGN_REVOCATION__ON_STALE", "allow_until_exp");
    let mut edge = Edge::start(binary).await;
    in_time(heartbeats.wait_for(|count| *count >= 2)).await.unwrap();
    for token in [&token, &ended] {
        assert_eq!(edge.is_active(&origin.key, token).await, Err(Code::Unavailable));
        assert_eq!((edge.verify(token).await, edge.check(token).await), (503, Code::Unavailable as i32));
    }
    assert!(!is_ready(&edge.serving).await);
    opening.send(true).unwrap();
    until_ready(&edge.serving).await;
    assert_eq!(edge.is_active(&origin.key, &token).await, Ok(true));
    assert_eq!(edge.is_active(&origin.key, &ended).await, Ok(false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_from_before_there_were_edges_is_none() {
    let origin = Origin::alone().await;
    let (url, opening, _) = censor(&origin, false).await;
    opening.send(true).unwrap();
    let mut edge = Edge::start(origin.edge(&url)).await;
    let told = edge.serving.line("cannot hear what the upstream revokes").await;
    assert!(told.contains("it is of a version that has no edges"), "{told}");
    assert!(!is_ready(&edge.serving).await);
}
