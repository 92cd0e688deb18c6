//! Ends a call in time: tonic's own timeout answers outside gRPC-web and CORS, with the wrong code, and ignores junk.

use std::{
    future::ready,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::http::{HeaderMap, Request, Response};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status};
use tower::Service;

use crate::{
    grpc::{Arrival, refusal},
    proto::ErrorReason,
};

/// `grpc-timeout` is there, and is not a timeout.
#[derive(Debug, PartialEq, Eq)]
struct Malformed;

/// Answers for a call that takes longer than its client wants to wait, or than `longest`, and drops it; reading the request
/// is part of the call, so that a body which stalls does not hold it for ever.
#[derive(Clone)]
pub(super) struct Deadline<S> {
    longest: Duration,
    behind: S,
}

impl<S> Deadline<S> {
    pub(super) fn of(behind: S, longest: Duration) -> Self {
        Self { longest, behind }
    }
}

impl<S, B, R> Service<Request<B>> for Deadline<S>
where
    S: Service<Request<B>, Response = Response<R>, Error: Send + 'static, Future: Send + 'static>,
    R: Default + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.behind.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Counted from when it came, as tonic counts the same timeout: counted from here, tonic's would sometimes win.
        let arrival = Arrival::of(request.extensions()).map_or_else(Instant::now, |arrival| arrival.at);
        let Ok(wanted) = wanted(request.headers()) else {
            let message = "grpc-timeout must be 1 to 8 digits and one of H M S m u n";
            let refused = refusal(Code::InvalidArgument, ErrorReason::InvalidFields, message);
            return Box::pin(ready(Ok(refused.into_http())));
        };
        let deadline = arrival + wanted.unwrap_or(self.longest).min(self.longest);
        let late = || Status::deadline_exceeded("the call took longer than its deadline").into_http();
        // A timeout polls what it times once, even if it is over: nothing must run for a client that has left already.
        if deadline <= Instant::now() {
            return Box::pin(ready(Ok(late())));
        }
        let answer = self.behind.call(request);
        Box::pin(async move { timeout_at(deadline, answer).await.unwrap_or_else(|_| Ok(late())) })
    }
}

/// How long the client wants to wait: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests>.
fn wanted(headers: &HeaderMap) -> Result<Option<Duration>, Malformed> {
    let mut values = headers.get_all("grpc-timeout").iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => parse(value.as_bytes()).map(Some).ok_or(Malformed),
        (Some(_), Some(_)) => Err(Malformed),
    }
}

fn parse(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    match unit {
        b'H' => Some(Duration::from_hours(count)),
        b'M' => Some(Duration::from_mins(count)),
        b'S' => Some(Duration::from_secs(count)),
        b'm' => Some(Duration::from_millis(count)),
        b'u' => Some(Duration::from_micros(count)),
        b'n' => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn sent(values: &[&'static str]) -> Result<Option<Duration>, Malformed> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("grpc-timeout", HeaderValue::from_static(value));
        }
        wanted(&headers)
    }

    #[test]
    fn every_unit_is_read() {
        for (value, expected) in [
            ("2H", Duration::from_hours(2)),
            ("3M", Duration::from_mins(3)),
            ("4S", Duration::from_secs(4)),
            ("5m", Duration::from_millis(5)),
            ("6u", Duration::from_micros(6)),
            ("7n", Duration::from_nanos(7)),
            ("0n", Duration::ZERO),
            ("00000001S", Duration::from_secs(1)),
            ("99999999H", Duration::from_hours(99_999_999)),
        ] {
            assert_eq!(sent(&[value]), Ok(Some(expected)), "{value}");
        }
        assert_eq!(sent(&[]), Ok(None));
    }

    #[test]
    fn anything_else_is_malformed() {
        for junk in
            ["", "S", "1", "1s", "1h", "-1S", "+1S", "1.5S", " 1S", "1S ", "1 S", "123456789S", "1SS", "0x1S", "1S, 2S"]
        {
            assert_eq!(sent(&[junk]), Err(Malformed), "{junk:?}");
        }
        assert_eq!(sent(&["1S", "1S"]), Err(Malformed));
    }
}
