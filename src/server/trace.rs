//! Sees what was called and what came of it: says it in the log, counts it, and tells a collector where there is one. Never
//! headers, query strings or bodies, which hold secrets.

use std::{pin::pin, sync::Arc, time::Duration};

use axum::http::{HeaderMap, Request, Response, header::CONTENT_TYPE};
use tonic::Code;
use tracing::{Instrument as _, Level, Span, field};

use super::{exporter::Spans, spans};
use crate::{
    grpc::Arrival,
    metrics::Metrics,
    proto::{GATEWAY_METHOD, METHODS, READS},
};

/// How much of a path is logged; ours are shorter.
const LONGEST_PATH: usize = 100;

/// Changes something, but nothing that anybody did.
const RENEWAL: &str = "countersign.v1.AuthService/Refresh";

/// Whom it is told to.
pub(super) struct Observer {
    pub(super) metrics: Arc<Metrics>,
    /// Where there is a collector; and of how many traces one is told of.
    pub(super) spans: Option<(Spans, u32)>,
}

/// A request that was not answered yet.
struct Visit<'a> {
    observer: &'a Observer,
    /// `None` for what is no RPC of ours.
    method: Option<&'static str>,
    arrival: Arc<Arrival>,
    span: Option<spans::Open>,
    is_over: bool,
}

/// One span for each request, one line for its answer.
pub(super) async fn observe<B, R, E, F>(
    observer: &Observer,
    arrival: Arc<Arrival>,
    request: Request<B>,
    answer: impl FnOnce(Request<B>) -> F,
) -> Result<Response<R>, E>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    let mut visit = Visit::new(observer, arrival, &request);
    let span = visit.span(&request);
    let mut answering = pin!(answer(request).instrument(span));
    let response = answering.as_mut().await?;
    answering.span().in_scope(|| visit.answered(&response));
    Ok(response)
}

impl<'a> Visit<'a> {
    fn new<B>(observer: &'a Observer, arrival: Arc<Arrival>, request: &Request<B>) -> Self {
        let span = observer.spans.as_ref().map(|(_, one_in)| {
            let id = u128::from_str_radix(arrival.id.as_str(), 16).unwrap_or_default();
            spans::Open::new(request.headers(), id, *one_in)
        });
        Self { observer, method: method(request.uri().path()), arrival, span, is_over: false }
    }

    /// With all its fields at once: each that is added later costs as much as all together.
    fn span<B>(&self, request: &Request<B>) -> Span {
        let path = request.uri().path();
        tracing::span!(
            Level::INFO,
            "request",
            id = self.arrival.id.as_str(),
            trace_id = self.span.as_ref().map(spans::Open::trace_id),
            path = &path[..path.floor_char_boundary(LONGEST_PATH)],
            client = self.arrival.device.address.map(field::display),
        )
    }

    /// What a person did is news, and so is what was refused. What was only asked is not, nor that a session was renewed, as each
    /// is by itself every few minutes: that is counted, and to write it down costs much of answering it.
    fn answered<R>(&mut self, response: &Response<R>) {
        self.is_over = true;
        let (status, latency) = (response.status().as_u16(), self.arrival.at.elapsed());
        if let Some(code) = call_status(response.headers()) {
            if code != Code::Ok || self.method.is_some_and(is_news) {
                tracing::info!(?code, ?latency, "answered");
            } else {
                tracing::debug!(?code, ?latency, "answered");
            }
            self.count(code, latency);
        } else {
            tracing::debug!(status, ?latency, "answered");
        }
    }

    fn count(&mut self, code: Code, latency: Duration) {
        let (metrics, method) = (&self.observer.metrics, self.method.unwrap_or("other"));
        metrics.calls.count([method, name(code)]);
        metrics.call_durations.record(method, latency);
        if let (Some(span), Some((spans, _))) = (self.span.take(), &self.observer.spans)
            && let Some(span) = span.close(self.method, code)
        {
            spans.leave(span);
        }
    }
}

impl Drop for Visit<'_> {
    /// A caller that does not wait for its answer is counted too.
    fn drop(&mut self) {
        if !self.is_over && self.method.is_some() {
            self.count(Code::Cancelled, self.arrival.at.elapsed());
        }
    }
}

/// The method that a path leads to, if it is one of ours: whatever else strangers ask for makes no series of its own.
fn method(path: &str) -> Option<&'static str> {
    let path = path.strip_prefix('/')?;
    let ours = METHODS.binary_search(&path).ok().map(|index| METHODS[index]);
    ours.or_else(|| (path == GATEWAY_METHOD).then_some(GATEWAY_METHOD))
}

fn is_news(method: &str) -> bool {
    READS.binary_search(&method).is_err() && method != RENEWAL && method != GATEWAY_METHOD
}

/// The code of a gRPC answer; one without is a success, or at least begins as one.
fn call_status(headers: &HeaderMap) -> Option<Code> {
    let content_type = headers.get(CONTENT_TYPE)?;
    let is_call = content_type.as_bytes().starts_with(b"application/grpc");
    is_call.then(|| headers.get("grpc-status").map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes())))
}

/// As gRPC writes it (<https://grpc.io/docs/guides/status-codes/>).
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_news_is_known() {
        for routine in
            ["AuthService/WhoAmI", "AuthService/Refresh", "TokenService/VerifyToken", "AccountService/ListSessions"]
        {
            assert!(!is_news(&format!("countersign.v1.{routine}")), "{routine}");
        }
        for news in ["AuthService/Login", "AuthService/Logout", "AccountService/RevokeSession"] {
            assert!(is_news(&format!("countersign.v1.{news}")), "{news}");
        }
    }

    #[test]
    fn every_rpc_is_known_and_nothing_else_is() {
        assert!(METHODS.is_sorted() && READS.is_sorted(), "they are searched in");
        assert_eq!(method("/countersign.v1.AuthService/WhoAmI"), Some("countersign.v1.AuthService/WhoAmI"));
        assert_eq!(method("/envoy.service.auth.v3.Authorization/Check"), Some(GATEWAY_METHOD));
        for other in [
            "",
            "/",
            "/countersign.v1.AuthService/",
            "/countersign.v1.AuthService/whoami",
            "/grpc.health.v1.Health/Check",
        ] {
            assert_eq!(method(other), None, "{other}");
        }
    }
}
