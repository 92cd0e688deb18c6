//! Names each request, so that what a caller reports can be found in the log.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};

use crate::{entropy::Entropy, grpc::RequestId};

/// Where the caller finds it.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id of ours. A client's own is ignored: it could make the log lie, or guess what others will be told.
pub(super) async fn name(State(entropy): State<Arc<dyn Entropy>>, mut request: Request, next: Next) -> Response {
    let id = format!("{:032x}", u128::from_be_bytes(entropy.bytes()));
    let value = HeaderValue::from_str(&id);
    request.extensions_mut().insert(RequestId::new(id));
    let mut response = next.run(request).await;
    if let Ok(value) = value {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
