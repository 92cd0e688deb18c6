//! Stopping: open calls finish, nobody new is taken, and who insists is obeyed.

use std::convert::Infallible;

use bytes::Bytes;
use countersign::proto::{LoginResponse, login_response::Outcome};
use http::{Request, Uri};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{
    body::{Frame, Incoming},
    client::conn::http2::{SendRequest, handshake},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use tokio::{
    net::TcpStream,
    sync::mpsc::{Sender, channel},
    task::{JoinHandle, yield_now},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Endpoint;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::support::{
    grpc::{login_request, sign_up},
    http::frame,
    process::{Binary, Serving, in_time},
};

type Body = StreamBody<ReceiverStream<Result<Frame<Bytes>, Infallible>>>;

/// A call that the service has begun to read, and whose message is yet to come.
struct OpenCall {
    message: Sender<Result<Frame<Bytes>, Infallible>>,
    answer: JoinHandle<hyper::Result<http::Response<Incoming>>>,
}

/// Opens a call to Login, and makes sure that the service has it.
async fn open_call(serving: &Serving) -> OpenCall {
    let stream = TcpStream::connect(serving.address).await.unwrap();
    let (mut connection, driver) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(driver);
    let call = begin(&mut connection, &serving.url, "/countersign.v1.AuthService/Login");
    // Frames of one connection are read in order: who answers this has seen that.
    let check = begin(&mut connection, &serving.url, "/grpc.health.v1.Health/Check");
    check.message.send(Ok(Frame::data(Bytes::from_static(&[0; 5])))).await.unwrap();
    drop(check.message);
    in_time(check.answer).await.unwrap().unwrap();
    call
}

fn begin(connection: &mut SendRequest<Body>, url: &str, path: &str) -> OpenCall {
    let (message, frames) = channel(1);
    let request = Request::post(format!("{url}{path}").parse::<Uri>().unwrap())
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(StreamBody::new(ReceiverStream::new(frames)))
        .unwrap();
    OpenCall { message, answer: tokio::spawn(connection.send_request(request)) }
}

async fn serving_ada() -> (Binary, Serving) {
    let binary = Binary::default().patient();
    let serving = binary.serve().await;
    sign_up(&mut serving.client().await, "ada@example.com").await;
    (binary, serving)
}

#[tokio::test]
async fn an_open_call_finishes_while_nobody_new_is_taken() {
    let (_binary, mut serving) = serving_ada().await;
    let channel = Endpoint::from_shared(serving.url.clone()).unwrap().connect().await.unwrap();
    let mut health = HealthClient::new(channel);
    let service = "countersign.v1.AuthService".to_owned();
    let mut watched = health.watch(HealthCheckRequest { service }).await.unwrap().into_inner();
    assert_eq!(in_time(watched.message()).await.unwrap().unwrap().status(), ServingStatus::Serving);
    let call = open_call(&serving).await;

    serving.signal("TERM").await;

    serving.line("stopping: open calls may finish").await;
    assert_eq!(in_time(watched.message()).await.unwrap().unwrap().status(), ServingStatus::NotServing);
    drop((watched, health));
    in_time(async {
        while TcpStream::connect(serving.address).await.is_ok() {
            yield_now().await;
        }
    })
    .await;

    let message = frame(&login_request("ada@example.com"));
    call.message.send(Ok(Frame::data(message.into()))).await.unwrap();
    drop(call.message);
    let body = in_time(call.answer).await.unwrap().unwrap().into_body();
    let answer = in_time(body.collect()).await.unwrap();
    assert_eq!(answer.trailers().unwrap()["grpc-status"], "0");
    let answer = LoginResponse::decode(&answer.to_bytes()[5..]).unwrap();
    assert!(matches!(answer.outcome, Some(Outcome::SignedIn(_))), "{answer:?}");

    let address = serving.address;
    let ended = serving.ended().await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{ended:?}");
    assert!(!ended.stderr.contains("cut calls"), "{ended:?}");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    for (first, second, code) in [("TERM", "TERM", 143), ("INT", "INT", 130), ("INT", "TERM", 143)] {
        let (_binary, mut serving) = serving_ada().await;
        let call = open_call(&serving).await;
        serving.signal(first).await;
        serving.line("stopping: open calls may finish").await;
        serving.signal(second).await;
        // Had it waited for the call, or for its patience to end, it would have ended with 0.
        assert_eq!(serving.ended().await.code, Some(code), "{first} {second}");
        drop(call);
    }
}

#[tokio::test]
async fn a_call_that_does_not_end_is_cut_when_patience_does() {
    let binary = Binary::default().patient().with("COUNTERSIGN_SERVER__DRAIN_TIMEOUT", "0s");
    let serving = binary.serve().await;
    let call = open_call(&serving).await;
    let ended = serving.stop().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("cut calls that did not end in time"), "{ended:?}");
    assert!(in_time(call.answer).await.unwrap().is_err());
}

#[tokio::test]
async fn what_it_says_goes_to_standard_error() {
    let binary = Binary::default().patient();
    let serving = binary.serve().await;
    assert_eq!(serving.url, format!("http://{}", serving.address));
    let ended = serving.stop().await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""));
    assert_eq!(ended.stderr.matches("listening on http://127.0.0.1:").count(), 1, "{}", ended.stderr);
}
