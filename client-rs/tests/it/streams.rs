//! A long stream ends when the session of whoever reads it does.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::Request as HttpRequest,
    routing::get,
};
use countersign_client::{AuthLayer, Feed, OnStale, Verifier};
use http_body_util::BodyExt as _;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::{
    Stream, StreamExt as _,
    wrappers::{ReceiverStream, TcpListenerStream},
};
use tonic::{
    Code, Request, Response, Status,
    transport::{Channel, Server},
};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_client::HealthClient,
    health_server::{Health, HealthServer},
};
use tonic_types::StatusExt as _;

use crate::support::{ISSUER, Service, http::serve, in_time, log_out};

/// Keeps the writing ends of what it streams, so that the test can write, and see that nobody reads any more.
#[derive(Clone, Default)]
struct Streams(Arc<Mutex<Vec<Writer>>>);

type Writer = mpsc::Sender<Result<HealthCheckResponse, Status>>;

#[tonic::async_trait]
impl Health for Streams {
    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(HealthCheckResponse::default()))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (sender, receiver) = mpsc::channel(1);
        self.0.lock().unwrap().push(sender);
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

/// A layer that lets only those in of whom it has heard.
fn layer(service: &Service) -> AuthLayer {
    let feed = Feed::new(&service.backend_key).url(&service.url).on_stale(OnStale::Introspect);
    AuthLayer::new(Verifier::builder(ISSUER).keys_url(service.keys_url()).feed(feed).build().unwrap())
}

fn with_bearer<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grpc_stream_ends_with_the_reason() {
    let service = Service::start(&[]).await;
    let streams = Streams::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::builder().layer(layer(&service)).add_service(HealthServer::new(streams.clone()));
    tokio::spawn(async move { server.serve_with_incoming(TcpListenerStream::new(listener)).await.unwrap() });
    let tokens = [service.login().await.access_token, service.login().await.access_token];
    let mut client = HealthClient::new(Channel::from_shared(url).unwrap().connect().await.unwrap());
    let mut watching = Vec::new();
    for token in &tokens {
        let request = with_bearer(HealthCheckRequest::default(), token);
        watching.push(in_time(client.watch(request)).await.unwrap().into_inner());
    }
    let senders = streams.0.lock().unwrap().clone();
    for (sender, stream) in senders.iter().zip(&mut watching) {
        sender.send(Ok(HealthCheckResponse::default())).await.unwrap();
        assert!(in_time(stream.message()).await.unwrap().is_some());
    }

    log_out(&service, &tokens[0], false).await;

    let ended = in_time(watching[0].message()).await.unwrap_err();
    assert_eq!(ended.code(), Code::Unauthenticated);
    assert_eq!(ended.get_error_details().error_info().unwrap().reason, "SESSION_ENDED");
    in_time(senders[0].closed()).await;
    senders[1].send(Ok(HealthCheckResponse::default())).await.unwrap();
    assert!(in_time(watching[1].message()).await.unwrap().is_some(), "the other session's goes on");
    let again = in_time(client.watch(with_bearer(HealthCheckRequest::default(), &tokens[0]))).await.unwrap_err();
    assert_eq!(again.get_error_details().error_info().unwrap().reason, "SESSION_ENDED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_http_breaks_off_lest_it_passes_for_whole() {
    let service = Service::start(&[]).await;
    // One waits for somebody to write, the other has more to say than anybody reads.
    let slow =
        async || Body::from_stream(tokio_stream::iter([Ok::<_, Infallible>("first")]).chain(tokio_stream::pending()));
    let fast = async || {
        let endless = std::iter::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[0; 1_024])));
        Body::from_stream(tokio_stream::iter(endless))
    };
    let router = Router::new().route("/slow", get(slow)).route("/fast", get(fast)).layer(layer(&service));
    let url = serve(router).await;
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    for path in ["/slow", "/fast"] {
        let token = service.login().await.access_token;
        let request = HttpRequest::get(format!("{url}{path}")).header("authorization", format!("Bearer {token}"));
        let mut body = in_time(client.request(request.body(Body::empty()).unwrap())).await.unwrap().into_body();
        assert!(in_time(body.frame()).await.unwrap().is_ok());

        log_out(&service, &token, false).await;

        let end = in_time(async {
            loop {
                match body.frame().await {
                    Some(Ok(_)) => {}
                    end => break end,
                }
            }
        });
        assert!(end.await.expect("not as if it were whole").is_err(), "{path}");
    }
}
