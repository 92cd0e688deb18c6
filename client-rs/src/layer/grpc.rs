//! How a gRPC call is told that it is not let in: by the code and the details that countersign itself would send.

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderMap, Response, header::CONTENT_TYPE};
use http_body_util::Full;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::denial::{Denial, RETRY};

const DOMAIN: &str = "countersign";

/// The answer, if the request is a gRPC or gRPC-web call.
pub(super) fn answer(denial: &Denial, request: &HeaderMap) -> Option<Response<Full<Bytes>>> {
    let asked = request.get(CONTENT_TYPE)?;
    if !asked.as_bytes().starts_with(b"application/grpc") {
        return None;
    }
    let mut answer = status(denial).into_http();
    // A gRPC-web client reads a status from the headers as well, but only under its own type.
    if asked.as_bytes().starts_with(b"application/grpc-web") {
        answer.headers_mut().insert(CONTENT_TYPE, asked.clone());
    }
    Some(answer)
}

/// The end of a stream that was answered with these headers, if it is one of gRPC's.
pub(super) fn trailers(denial: &Denial, answer: &HeaderMap) -> Option<HeaderMap> {
    let kind = answer.get(CONTENT_TYPE)?.as_bytes().strip_prefix(b"application/grpc")?;
    // gRPC-web writes its trailers into the body, and is put around this.
    let is_grpc = kind.is_empty() || kind.starts_with(b"+") || kind.starts_with(b";");
    let mut trailers = HeaderMap::new();
    (is_grpc && status(denial).add_header(&mut trailers).is_ok()).then_some(trailers)
}

fn status(denial: &Denial) -> Status {
    let code = match denial {
        Denial::NotSignedIn | Denial::Expired | Denial::Invalid | Denial::SessionEnded => Code::Unauthenticated,
        Denial::Forbidden { .. } | Denial::StepUp { .. } => Code::PermissionDenied,
        Denial::Unavailable { .. } => Code::Unavailable,
    };
    let metadata = match denial {
        Denial::StepUp { max_age } => HashMap::from([("max_age_seconds".to_owned(), max_age.as_secs().to_string())]),
        _ => HashMap::new(),
    };
    let mut details = ErrorDetails::with_error_info(denial.reason(), DOMAIN, metadata);
    if matches!(denial, Denial::Unavailable { .. }) {
        details.set_retry_info(Some(RETRY));
    }
    Status::with_error_details(code, denial.message(), details)
}
