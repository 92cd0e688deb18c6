//! Says in the log what was called and what came of it: never headers, query strings or bodies, which hold secrets.

use std::time::Duration;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, header::CONTENT_TYPE},
    response::Response,
};
use tower_http::{
    classify::{ServerErrorsAsFailures, SharedClassifier},
    trace::TraceLayer,
};
use tracing::{Level, Span, field};

use crate::{domain::Device, grpc::RequestId};

/// How much of a path is logged; ours are shorter.
const LONGEST_PATH: usize = 100;

/// tower-http's layer with our span and our line.
pub(super) type Layer = TraceLayer<
    SharedClassifier<ServerErrorsAsFailures>,
    fn(&Request) -> Span,
    (),
    fn(&Response, Duration, &Span),
    (),
    (),
    (),
>;

/// One span for each request, one line for its answer. Its own idea of a failure is off: a wrong password is no error.
pub(super) fn layer() -> Layer {
    TraceLayer::new_for_http()
        .make_span_with(span as fn(&Request) -> Span)
        .on_request(())
        .on_response(answered as fn(&Response<Body>, Duration, &Span))
        .on_body_chunk(())
        .on_eos(())
        .on_failure(())
}

fn span(request: &Request) -> Span {
    let path = request.uri().path();
    let span = tracing::span!(
        Level::INFO,
        "request",
        id = request.extensions().get().map(RequestId::as_str),
        path = &path[..path.floor_char_boundary(LONGEST_PATH)],
        client = field::Empty,
    );
    if let Some(address) = request.extensions().get::<Device>().and_then(|device| device.address) {
        span.record("client", field::display(address));
    }
    span
}

/// Calls are news; health checks, every few seconds, are not.
fn answered(response: &Response, latency: Duration, _: &Span) {
    let (status, latency) = (response.status().as_u16(), field::debug(latency));
    if let Some(code) = call_status(response.headers()) {
        tracing::info!(?code, latency, "answered");
    } else {
        tracing::debug!(status, latency, "answered");
    }
}

/// The code of a gRPC answer; one without is a success, or at least begins as one.
fn call_status(headers: &HeaderMap) -> Option<tonic::Code> {
    let content_type = headers.get(CONTENT_TYPE)?;
    let is_call = content_type.as_bytes().starts_with(b"application/grpc");
    is_call.then(|| headers.get("grpc-status").map_or(tonic::Code::Ok, |code| tonic::Code::from_bytes(code.as_bytes())))
}
