//! Lets listed pages read the answers. It stops no call, whoever makes it: that is the guard's.

use std::time::Duration;

use axum::http::{
    HeaderName, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN},
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::request_id::REQUEST_ID;
use crate::grpc::Origins;

/// As long as browsers will keep it: each RPC is a URL, and pays for a preflight of its own.
const MAX_AGE: Duration = Duration::from_hours(2);

/// CORS for exactly the listed pages; `None` if there are none.
pub(super) fn layer(origins: &Origins) -> Option<CorsLayer> {
    let listed: Vec<_> = origins.iter().filter_map(|origin| HeaderValue::from_str(origin.as_str()).ok()).collect();
    let custom = HeaderName::from_static;
    (!listed.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(listed))
            .allow_credentials(true)
            .allow_methods([Method::POST])
            .allow_headers([
                AUTHORIZATION,
                CONTENT_TYPE,
                custom("grpc-timeout"),
                custom("x-grpc-web"),
                REQUEST_ID,
                custom("x-user-agent"),
            ])
            // A refusal has no body: all of it is in these.
            .expose_headers([
                custom("grpc-message"),
                custom("grpc-status"),
                custom("grpc-status-details-bin"),
                REQUEST_ID,
            ])
            .max_age(MAX_AGE)
            .vary([ORIGIN])
    })
}
