//! What is served in plain HTTP: whether the service is well, and the keys that verify its tokens.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::timeout;

use crate::{
    app::{Error, Fault, Verifier},
    domain::{PublicKey, PublicKeys, Timestamp},
};

/// How long the database may take to answer before the service counts as not ready.
const READY_WITHIN: Duration = Duration::from_secs(2);
/// How long verifiers may keep the keys; a new key is published for longer than that before it signs.
const KEYS_MAX_AGE: &str = "public, max-age=300";

/// The routes; all else is gRPC.
pub(super) fn routes(verifier: Verifier) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/.well-known/countersign/keys", get(keys))
        .with_state(verifier)
}

/// Whether to send calls here: not if the database does not answer, or an edge knows too little.
async fn ready(State(verifier): State<Verifier>) -> Response {
    let why = match timeout(READY_WITHIN, verifier.ready()).await {
        Ok(Ok(())) => return "ready\n".into_response(),
        Ok(Err(Error::Failed(Fault::Stale))) => "not ready: what was revoked lately is not known\n",
        Ok(Err(_)) | Err(_) => "not ready: the database does not answer\n",
    };
    (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
}

/// The verifying keys, and a strong tag by which caches ask whether they have changed.
async fn keys(State(verifier): State<Verifier>, headers: HeaderMap) -> Response {
    let Ok(keys) = verifier.public_keys() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let Ok(body) = serde_json::to_string(&KeySet::from(&keys)) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let etag = tag(&body);
    let caching = [(CACHE_CONTROL, KEYS_MAX_AGE), (ETAG, etag.as_str())];
    if headers.get_all(IF_NONE_MATCH).iter().any(|known| matches(known, &etag)) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// Tells two key sets apart. We write both, so nobody is there to search for a collision.
fn tag(body: &str) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// RFC 9110 §13.1.2: a list of tags, each perhaps weak, or `*`.
fn matches(known: &HeaderValue, etag: &str) -> bool {
    let listed = known.to_str().unwrap_or_default().split(',').map(str::trim);
    listed.map(|tag| tag.strip_prefix("W/").unwrap_or(tag)).any(|tag| tag == etag || tag == "*")
}

/// The keys as verifiers read them.
#[derive(Serialize)]
struct KeySet<'a> {
    issuer: &'a str,
    keys: Vec<Key<'a>>,
}

#[derive(Serialize)]
struct Key<'a> {
    kid: &'a str,
    #[serde(rename = "key")]
    public: &'a str,
    status: &'static str,
    not_before: Option<String>,
    not_after: Option<String>,
}

impl<'a> From<&'a PublicKeys> for KeySet<'a> {
    fn from(keys: &'a PublicKeys) -> Self {
        Self { issuer: &keys.issuer, keys: keys.keys.iter().map(Key::from).collect() }
    }
}

impl<'a> From<&'a PublicKey> for Key<'a> {
    fn from(key: &'a PublicKey) -> Self {
        Self {
            kid: key.id.as_str(),
            public: &key.key,
            status: key.state.as_str(),
            not_before: rfc3339(key.not_before),
            not_after: key.not_after.and_then(rfc3339),
        }
    }
}

/// `None` for moments after the year 9999, which RFC 3339 cannot write.
fn rfc3339(moment: Timestamp) -> Option<String> {
    let nanos = i128::from(moment.unix_millis()) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{KeyId, KeyState};

    #[test]
    fn verifiers_read_issuer_and_keys() {
        let key = PublicKey {
            id: KeyId::from_paserk("k4.pid.x".to_owned()),
            key: "k4.public.y".to_owned(),
            state: KeyState::Retired,
            not_before: Timestamp::from_unix_millis(1_700_000_000_000),
            not_after: Some(Timestamp::from_unix_millis(1_700_000_000_500)),
        };
        let keys = PublicKeys { issuer: "https://auth.example.com".to_owned(), keys: vec![key] };
        assert_eq!(
            serde_json::to_string(&KeySet::from(&keys)).unwrap(),
            r#"{"issuer":"https://auth.example.com","keys":[{"kid":"k4.pid.x","key":"k4.public.y","status":"retired","not_before":"2023-11-14T22:13:20Z","not_after":"2023-11-14T22:13:20.5Z"}]}"#
        );
    }

    #[test]
    fn a_cache_that_has_it_is_told_so() {
        let known = |text| matches(&HeaderValue::from_static(text), "\"ab\"");
        assert!(known("\"ab\"") && known("W/\"ab\"") && known("\"x\", \"ab\"") && known("*"));
        assert!(!known("\"a\"") && !known("ab") && !known(""));
        assert_ne!(tag("a"), tag("b"));
    }
}
