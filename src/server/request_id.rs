//! Names each request, so that what a caller reports can be found in the log.

use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderName, HeaderValue, Response};

use crate::{
    entropy::{Entropy, OsEntropy},
    grpc::RequestId,
};

/// Where the caller finds it.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How many ids are drawn at once: they are no secrets, and each time it is a call into the kernel.
const AT_ONCE: usize = 64;
const BYTES: usize = size_of::<u128>();

/// The ids of the requests to come.
#[derive(Default)]
pub(super) struct RequestIds(Mutex<Vec<u128>>);

impl RequestIds {
    /// An id of ours. A client's own is ignored: it could make the log lie, or guess what others will be told.
    pub(super) fn next(&self) -> RequestId {
        let mut drawn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.is_empty() {
            let mut bytes = [0; AT_ONCE * BYTES];
            OsEntropy.fill(&mut bytes);
            drawn.extend(bytes.as_chunks().0.iter().map(|id| u128::from_be_bytes(*id)));
        }
        RequestId::new(drawn.pop().unwrap_or_default())
    }
}

/// Tells the caller.
pub(super) fn tell<B>(response: &mut Response<B>, id: RequestId) {
    if let Ok(mut id) = HeaderValue::from_str(id.as_str()) {
        // It is no secret, but it comes once: HTTP/2 need not remember it in place of what comes again (RFC 7541 §7.1.3).
        id.set_sensitive(true);
        response.headers_mut().insert(REQUEST_ID, id);
    }
}
