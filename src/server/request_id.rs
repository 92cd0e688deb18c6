//! Names each request, so that what a caller reports can be found in the log.

use axum::http::{HeaderName, HeaderValue, Request, Response};

use crate::{entropy::Entropy, grpc::RequestId};

/// Where the caller finds it.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id of ours. A client's own is ignored: it could make the log lie, or guess what others will be told.
pub(super) fn name<B>(request: &mut Request<B>, entropy: &dyn Entropy) -> Option<HeaderValue> {
    let id = format!("{:032x}", u128::from_be_bytes(entropy.bytes()));
    let value = HeaderValue::from_str(&id).ok();
    request.extensions_mut().insert(RequestId::new(id));
    value
}

/// Tells the caller.
pub(super) fn tell<B>(response: &mut Response<B>, id: Option<HeaderValue>) {
    if let Some(mut id) = id {
        // It is no secret, but it comes once: HTTP/2 need not remember it in place of what comes again (RFC 7541 §7.1.3).
        id.set_sensitive(true);
        response.headers_mut().insert(REQUEST_ID, id);
    }
}
