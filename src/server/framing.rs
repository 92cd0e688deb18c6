//! Says whose mistake a request is that cannot be read: the caller's, where tonic calls it ours.

use axum::http::{HeaderMap, HeaderName, Response};
use tonic::Code;

use crate::{grpc::refusal, proto::ErrorReason};

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// Replaces tonic's own answer to what it cannot read: no message, half of one, too long a one, compressed in a way that nobody
/// agreed on. Its text would quote the libraries below; a fault of ours is told from it by its details.
pub(super) fn blame_the_caller<B: Default>(response: Response<B>) -> Response<B> {
    match unreadable(response.headers()) {
        Some(why) => refusal(Code::InvalidArgument, ErrorReason::InvalidFields, &why).into_http(),
        None => response,
    }
}

/// Why the request could not be read, where that is what the answer says.
fn unreadable(headers: &HeaderMap) -> Option<String> {
    let status = headers.get(STATUS).filter(|_| !headers.contains_key(DETAILS))?;
    match Code::from_bytes(status.as_bytes()) {
        Code::OutOfRange => Some("the message is longer than any that this call takes".to_owned()),
        Code::Internal | Code::Unknown => Some("the body is not one whole gRPC message in its frame".to_owned()),
        _ => None,
    }
}
