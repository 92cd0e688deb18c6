//! The one table from our errors to the wire.

use std::{error::Error as _, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::Arrival;
use crate::{
    app::{Error, Fault, Rejection},
    proto::ErrorReason,
    store::StoreError,
};

const DOMAIN: &str = "countersign";
/// When to come back after the database was away.
const RETRY_UNAVAILABLE: Duration = Duration::from_secs(1);

/// A refusal with its stable reason.
#[must_use]
pub fn refusal(code: Code, reason: ErrorReason, message: &str) -> Status {
    Status::with_error_details(code, message, error_info(reason))
}

/// Renders an error. A fault is logged here, once and with its whole chain; its caller learns the request's id.
pub(super) fn status(error: &Error, arrival: Option<&Arrival>) -> Status {
    match error {
        Error::Rejected(rejection) => rejected(*rejection),
        Error::Failed(fault) => failed(fault, arrival.map_or("", |arrival| arrival.id.as_str())),
    }
}

fn rejected(rejection: Rejection) -> Status {
    let (code, reason) = row(rejection);
    let mut details = error_info(reason);
    if let Rejection::Overloaded { retry_after } | Rejection::RateLimited { retry_after } = rejection {
        details.set_retry_info(Some(retry_after));
    }
    if let Rejection::StepUpRequired { max_age } = rejection {
        let max_age = ("max_age_seconds".to_owned(), max_age.as_secs().to_string());
        details.set_error_info(name(reason), DOMAIN, [max_age]);
    }
    Status::with_error_details(code, rejection.to_string(), details)
}

pub(super) fn row(rejection: Rejection) -> (Code, ErrorReason) {
    match rejection {
        Rejection::BadCredentials => (Code::Unauthenticated, ErrorReason::BadCredentials),
        Rejection::NotSignedIn => (Code::Unauthenticated, ErrorReason::NotSignedIn),
        Rejection::TokenExpired => (Code::Unauthenticated, ErrorReason::TokenExpired),
        Rejection::TokenInvalid => (Code::Unauthenticated, ErrorReason::TokenInvalid),
        Rejection::SessionEnded => (Code::Unauthenticated, ErrorReason::SessionEnded),
        Rejection::EmailUnverified => (Code::PermissionDenied, ErrorReason::EmailUnverified),
        Rejection::AccountDisabled => (Code::PermissionDenied, ErrorReason::AccountDisabled),
        Rejection::CodeInvalid => (Code::FailedPrecondition, ErrorReason::CodeInvalid),
        Rejection::StepUpRequired { .. } => (Code::PermissionDenied, ErrorReason::StepUpRequired),
        Rejection::Forbidden => (Code::PermissionDenied, ErrorReason::Forbidden),
        Rejection::RateLimited { .. } => (Code::ResourceExhausted, ErrorReason::RateLimited),
        Rejection::Overloaded { .. } => (Code::ResourceExhausted, ErrorReason::Overloaded),
    }
}

fn failed(fault: &Fault, request_id: &str) -> Status {
    tracing::error!(request_id, error = %chain(fault), "the call failed");
    let (code, reason, message) = match fault {
        Fault::Store(StoreError::Unavailable(_) | StoreError::Conflict(_)) => {
            (Code::Unavailable, ErrorReason::Unavailable, "the service cannot reach its database: try again")
        }
        Fault::Stale => (
            Code::Unavailable,
            ErrorReason::Unavailable,
            "the service does not know what was revoked lately: try again",
        ),
        Fault::Upstream(_) => (
            Code::Unavailable,
            ErrorReason::Unavailable,
            "the service cannot ask the one that it is an edge of: try again",
        ),
        Fault::Store(
            StoreError::Failed(_)
            | StoreError::Corrupt { .. }
            | StoreError::File { .. }
            | StoreError::Outdated { .. }
            | StoreError::NotDurable { .. },
        )
        | Fault::Crypto(_)
        | Fault::Mail(_) => (Code::Internal, ErrorReason::Internal, "the service failed"),
    };
    let mut details = error_info(reason);
    details.set_request_info(request_id, "");
    if code == Code::Unavailable {
        details.set_retry_info(Some(RETRY_UNAVAILABLE));
    }
    Status::with_error_details(code, message, details)
}

/// An error and its causes, on one line.
fn chain(fault: &Fault) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

pub(super) fn error_info(reason: ErrorReason) -> ErrorDetails {
    ErrorDetails::with_error_info(name(reason), DOMAIN, [])
}

fn name(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_is_given_by_somebody() {
        let rejections = [
            Rejection::BadCredentials,
            Rejection::NotSignedIn,
            Rejection::TokenExpired,
            Rejection::TokenInvalid,
            Rejection::SessionEnded,
            Rejection::EmailUnverified,
            Rejection::AccountDisabled,
            Rejection::CodeInvalid,
            Rejection::StepUpRequired { max_age: Duration::ZERO },
            Rejection::Forbidden,
            Rejection::RateLimited { retry_after: Duration::ZERO },
            Rejection::Overloaded { retry_after: Duration::ZERO },
        ];
        let elsewhere = [
            ErrorReason::Unspecified,
            // Parsing, the guard, faults.
            ErrorReason::InvalidFields,
            ErrorReason::WeakPassword,
            ErrorReason::Unavailable,
            ErrorReason::Internal,
        ];
        let given: BTreeSet<_> = rejections.into_iter().map(|rejection| row(rejection).1).chain(elsewhere).collect();
        let declared: BTreeSet<_> = (0..).map_while(|number| ErrorReason::try_from(number).ok()).collect();
        assert_eq!(given, declared);
        assert_eq!(given.len(), rejections.len() + elsewhere.len(), "one reason each");
    }
}
