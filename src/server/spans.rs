//! Spans of calls for OpenTelemetry: whose part a call is of, and what a collector is told of it. That is what stands here and
//! nothing else: a span knows no address, no token and no field of the log.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::HeaderMap;
use tonic::Code;

use crate::proto::otlp::opentelemetry::proto::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{Span, Status, span::SpanKind, status::StatusCode},
};

/// What a caller says about the trace that its call is of (<https://www.w3.org/TR/trace-context/#traceparent-header>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parent {
    trace: u128,
    span: u64,
    is_sampled: bool,
}

/// A call that goes on.
#[derive(Debug)]
pub(super) struct Open {
    trace: u128,
    /// The request's id; its second half names the span.
    request: u128,
    parent: Option<u64>,
    began: SystemTime,
    is_sampled: bool,
}

impl Open {
    /// A call that begins: a part of its caller's trace, which then also decides whether anybody wants to know; else a trace of
    /// its own, named like the request, of which one in so many is told of.
    pub(super) fn new(headers: &HeaderMap, request: u128, one_in: u32) -> Self {
        let parent = parent(headers);
        let by_chance = u32::try_from(request >> 96).unwrap_or_default().is_multiple_of(one_in.max(1));
        Self {
            trace: parent.map_or(request, |parent| parent.trace),
            request,
            parent: parent.map(|parent| parent.span),
            began: now(),
            is_sampled: parent.map_or(by_chance, |parent| parent.is_sampled),
        }
    }

    /// For the log.
    pub(super) fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// What a collector is told at its end; `None` when it does not want to be.
    pub(super) fn close(self, method: Option<&'static str>, code: Code) -> Option<Span> {
        if !self.is_sampled {
            return None;
        }
        let mut attributes = vec![
            text("rpc.system", "grpc"),
            attribute("rpc.grpc.status_code", Value::IntValue(i64::from(i32::from(code)))),
            text("countersign.request_id", &format!("{:032x}", self.request)),
        ];
        if let Some((service, method)) = method.and_then(|method| method.split_once('/')) {
            attributes.extend([text("rpc.service", service), text("rpc.method", method)]);
        }
        let status = if is_failure(code) { StatusCode::Error } else { StatusCode::Unset };
        Some(Span {
            trace_id: self.trace.to_be_bytes().into(),
            span_id: self.span_id().to_be_bytes().into(),
            parent_span_id: self.parent.map_or_else(Vec::new, |span| span.to_be_bytes().into()),
            // Sampled.
            flags: 1,
            name: method.unwrap_or("other").to_owned(),
            kind: SpanKind::Server.into(),
            start_time_unix_nano: nanos(self.began),
            end_time_unix_nano: nanos(now()),
            attributes,
            status: Some(Status { code: status.into(), ..Status::default() }),
            ..Span::default()
        })
    }

    /// Never zero, which is no name.
    #[expect(clippy::cast_possible_truncation, reason = "the second half")]
    fn span_id(&self) -> u64 {
        (self.request as u64).max(1)
    }
}

/// A caller's mistake is no failure of ours (<https://opentelemetry.io/docs/specs/semconv/rpc/grpc/#grpc-status>).
fn is_failure(code: Code) -> bool {
    use Code::{DataLoss, DeadlineExceeded, Internal, Unavailable, Unimplemented, Unknown};
    matches!(code, Unknown | DeadlineExceeded | Unimplemented | Internal | Unavailable | DataLoss)
}

/// `None` also for what is malformed: then the trace begins here.
fn parent(headers: &HeaderMap) -> Option<Parent> {
    let mut values = headers.get_all("traceparent").iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let mut parts = value.to_str().ok()?.split('-');
    let [version, trace, span, flags] = [2, 32, 16, 2].map(|digits| hex(parts.next()?, digits));
    let (version, trace, span) = (version?, trace?, u64::try_from(span?).ok()?);
    // Later versions may say more, behind another hyphen.
    let is_known = version != 0xff && (version != 0 || parts.next().is_none());
    (is_known && trace != 0 && span != 0).then_some(Parent { trace, span, is_sampled: flags? & 1 == 1 })
}

/// So many digits, in lower case.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let fits = text.len() == digits && text.as_bytes().iter().all(is_hex);
    if fits { u128::from_str_radix(text, 16).ok() } else { None }
}

#[expect(clippy::disallowed_methods, reason = "a span says when it was, and nothing is decided by it")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn nanos(moment: SystemTime) -> u64 {
    moment.duration_since(UNIX_EPOCH).map_or(0, |passed| u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX))
}

pub(super) fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("traceparent", line.parse().unwrap());
        }
        headers
    }

    fn read(lines: &[&str]) -> Option<(String, u64, bool)> {
        let parent = parent(&headers(lines))?;
        Some((format!("{:032x}", parent.trace), parent.span, parent.is_sampled))
    }

    #[test]
    fn a_parent_is_read() {
        let known = |flag| Some((TRACE.to_owned(), 0x00f0_67aa_0ba9_02b7, flag));
        assert_eq!(read(&[&format!("00-{TRACE}-00f067aa0ba902b7-01")]), known(true));
        assert_eq!(read(&[&format!("00-{TRACE}-00f067aa0ba902b7-00")]), known(false));
        assert_eq!(read(&[&format!("00-{TRACE}-00f067aa0ba902b7-fe")]), known(false), "other flags say nothing");
        assert_eq!(read(&[&format!("01-{TRACE}-00f067aa0ba902b7-01-later")]), known(true));
    }

    #[test]
    fn what_is_no_parent_is_none() {
        let good = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[&good, &good]), None, "two");
        for bad in [
            String::new(),
            "-".repeat(60),
            good.to_uppercase(),
            format!("{good}-more"),
            format!("ff{}", &good[2..]),
            good[..54].to_owned(),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{TRACE}-+0f067aa0ba902b7-01"),
            format!("00-{TRACE}--01"),
        ] {
            assert_eq!(read(&[&bad]), None, "{bad:?}");
        }
    }

    #[test]
    fn the_caller_decides_whether_a_span_is_told_of_and_else_chance_does() {
        let told = |lines: &[&str], request: u128, one_in| {
            Open::new(&headers(lines), request, one_in).close(None, Code::Ok).is_some()
        };
        let (yes, no) = (format!("00-{TRACE}-00f067aa0ba902b7-01"), format!("00-{TRACE}-00f067aa0ba902b7-00"));
        assert!(told(&[&yes], 1 << 96, u32::MAX) && !told(&[&no], 0, 1));
        assert!(told(&[], 1 << 96, 1) && told(&[], 20 << 96, 10) && !told(&[], 21 << 96, 10));
    }
}
