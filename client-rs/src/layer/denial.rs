//! Why a request is not let in, and how that is told in HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use http_body_util::Full;

use crate::Refusal;

/// When to come back after the keys could not be had.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// Why a request is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Denial {
    NotSignedIn,
    Expired,
    Invalid,
    SessionEnded,
    Unavailable { why: Refusal },
    Forbidden { role: String },
    StepUp { max_age: Duration },
}

impl From<Refusal> for Denial {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Expired => Self::Expired,
            Refusal::Invalid => Self::Invalid,
            Refusal::SessionEnded => Self::SessionEnded,
            Refusal::KeysUnavailable | Refusal::Stale => Self::Unavailable { why: refusal },
        }
    }
}

impl Denial {
    /// countersign's stable reason, as `error_reason.proto` lists it.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "NOT_SIGNED_IN",
            Self::Expired => "TOKEN_EXPIRED",
            Self::Invalid => "TOKEN_INVALID",
            Self::SessionEnded => "SESSION_ENDED",
            Self::Unavailable { .. } => "UNAVAILABLE",
            Self::Forbidden { .. } => "FORBIDDEN",
            Self::StepUp { .. } => "STEP_UP_REQUIRED",
        }
    }

    pub(super) fn message(&self) -> String {
        match self {
            Self::NotSignedIn => "not signed in: no access token was sent".to_owned(),
            Self::Expired => Refusal::Expired.to_string(),
            Self::Invalid => Refusal::Invalid.to_string(),
            Self::SessionEnded => Refusal::SessionEnded.to_string(),
            Self::Unavailable { why } => why.to_string(),
            Self::Forbidden { role } => format!("this needs the role {role:?}"),
            Self::StepUp { max_age } => {
                format!("sign in again: this needs a sign-in of the last {} seconds", max_age.as_secs())
            }
        }
    }

    /// The answer to a request with these headers.
    pub(super) fn answer(&self, request: &HeaderMap) -> Response<Full<Bytes>> {
        #[cfg(feature = "tonic")]
        if let Some(answer) = super::grpc::answer(self, request) {
            return answer;
        }
        // What reads gRPC alone understands these too: the specification maps 401, 403 and 503 to the codes.
        let _ = request;
        self.http()
    }

    /// How a stream ends that was answered with these headers; `None` if it has no place for a reason.
    pub(super) fn trailers(&self, answer: &HeaderMap) -> Option<HeaderMap> {
        #[cfg(feature = "tonic")]
        return super::grpc::trailers(self, answer);
        #[cfg(not(feature = "tonic"))]
        {
            let _ = (self, answer);
            None
        }
    }

    /// The answer in HTTP.
    pub(crate) fn http(&self) -> Response<Full<Bytes>> {
        let body = serde_json::json!({ "reason": self.reason(), "message": self.message() }).to_string();
        let mut answer = Response::new(Full::from(body));
        *answer.status_mut() = self.status();
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge().and_then(|challenge| HeaderValue::try_from(challenge).ok()) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if matches!(self, Self::Unavailable { .. }) {
            headers.insert(RETRY_AFTER, HeaderValue::from(RETRY.as_secs()));
        }
        answer
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotSignedIn | Self::Expired | Self::Invalid | Self::SessionEnded | Self::StepUp { .. } => {
                StatusCode::UNAUTHORIZED
            }
            Self::Forbidden { .. } => StatusCode::FORBIDDEN,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// RFC 6750 §3, and for a sign-in that is too old RFC 9470 §3.
    fn challenge(&self) -> Option<String> {
        match self {
            Self::NotSignedIn => Some("Bearer".to_owned()),
            Self::Expired | Self::Invalid | Self::SessionEnded => {
                Some(format!(r#"Bearer error="invalid_token", error_description="{}""#, self.message()))
            }
            Self::Forbidden { .. } => Some(r#"Bearer error="insufficient_scope""#.to_owned()),
            Self::StepUp { max_age } => {
                let max_age = max_age.as_secs();
                Some(format!(r#"Bearer error="insufficient_user_authentication", max_age="{max_age}""#))
            }
            Self::Unavailable { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_one_of_countersigns() {
        let declared = include_str!("../../../proto/countersign/v1/error_reason.proto");
        let denials = [
            Denial::NotSignedIn,
            Denial::Expired,
            Denial::Invalid,
            Denial::SessionEnded,
            Denial::Unavailable { why: Refusal::Stale },
            Denial::Forbidden { role: String::new() },
            Denial::StepUp { max_age: Duration::ZERO },
        ];
        for denial in denials {
            assert!(declared.contains(&format!("  ERROR_REASON_{} = ", denial.reason())), "{denial:?}");
        }
    }
}
