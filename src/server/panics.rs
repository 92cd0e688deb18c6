//! Answers for a handler that panicked, so that its caller is not left with a broken stream.

use std::{any::Any, sync::Arc};

use axum::http::Response;
use tonic::{Code, body::Body};

use crate::{grpc::refusal, metrics::Metrics, proto::ErrorReason};

/// Says that it is our fault and no more: the panic's text may hold what the handler was working with.
pub(super) fn counting(metrics: Arc<Metrics>) -> impl Fn(Box<dyn Any + Send>) -> Response<Body> + Clone {
    move |_panic| {
        tracing::error!("a handler panicked");
        metrics.panics.count();
        refusal(Code::Internal, ErrorReason::Internal, "internal error").into_http()
    }
}
