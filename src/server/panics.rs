//! Answers for a handler that panicked, so that its caller is not left with a broken stream.

use std::any::Any;

use axum::response::Response;
use tonic::Code;

use crate::{grpc::refusal, proto::ErrorReason};

/// Says that it is our fault and no more: the panic's text may hold what the handler was working with.
pub(super) fn answer(_panic: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    refusal(Code::Internal, ErrorReason::Internal, "internal error").into_http()
}
