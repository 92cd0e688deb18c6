//! What goes wrong on our side: the caller is told so, keeps what they have, and what was revoked stays revoked.

mod corruption;
mod expiry;
mod lost_answers;
mod outage;
mod restored;
mod revocation;

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::support::grpc::summary;

/// It was us, it is passing, and how to go on: never that the caller's credential is bad.
fn expect_unavailable(status: &Status) {
    assert_eq!(summary(status), "Unavailable UNAVAILABLE", "{status:?}");
    let retry = status.get_error_details().retry_info().map(|retry| retry.retry_delay);
    assert_eq!(retry, Some(Some(Duration::from_secs(1))));
    expect_quotable(status);
}

/// It was us, and nothing of how it is inside.
fn expect_internal(status: &Status) {
    assert_eq!(summary(status), "Internal INTERNAL", "{status:?}");
    assert_eq!((status.code(), status.message()), (Code::Internal, "the service failed"));
    expect_quotable(status);
}

/// The id that the log has is in the details and in the header.
fn expect_quotable(status: &Status) {
    let quoted = status.get_error_details().request_info().unwrap().request_id.clone();
    assert_eq!(quoted.len(), 32, "{quoted}");
    assert_eq!(status.metadata().get("x-request-id").unwrap().to_str().unwrap(), quoted);
}
