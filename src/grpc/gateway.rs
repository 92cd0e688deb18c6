//! What a gateway asks before it lets a request through: whose it is. Envoy asks by gRPC and others by HTTP; it is decided
//! here for all of them.

use std::sync::Arc;

use tonic::{
    Code,
    codegen::http::{
        HeaderMap, HeaderName, HeaderValue, Method,
        header::{AUTHORIZATION, ORIGIN},
    },
    metadata::MetadataMap,
};
use tonic_types::StatusExt as _;

use super::{Arrival, CookieProfile, Origins, call::Call, cookies, status::status};
use crate::{
    app::{Caller, Error, Verifier},
    domain::Role,
};

/// What the names of the headers begin with by which services behind a gateway learn who calls.
pub(super) const PREFIX: &str = "x-auth-";

/// Decides for gateways.
#[derive(Debug, Clone)]
pub struct Gateway {
    verifier: Verifier,
    origins: Arc<Origins>,
}

/// A request that a gateway holds until it hears from us.
#[derive(Debug)]
pub struct Visit {
    /// Its method; `None` if the gateway does not say, which is taken for one that changes something.
    pub method: Option<Method>,
    /// Its headers.
    pub headers: HeaderMap,
    /// How the gateway's question came.
    pub question: Option<Arc<Arrival>>,
}

/// It may pass, and this is whose it is.
#[derive(Debug)]
pub struct Pass {
    caller: Caller,
    cookies: String,
}

/// It may not.
#[derive(Debug)]
pub struct Denial {
    /// 401, 403 or 503: the HTTP status for the visitor.
    pub status: u16,
    /// The same for gRPC.
    pub code: Code,
    /// `WWW-Authenticate` (RFC 6750 §3), with 401.
    pub challenge: Option<String>,
    /// What to do about it.
    pub message: String,
}

impl Gateway {
    /// Decides with `verifier`, for the pages of `origins`.
    #[must_use]
    pub fn new(verifier: Verifier, origins: Arc<Origins>) -> Self {
        Self { verifier, origins }
    }

    /// Whose request it is.
    ///
    /// # Errors
    /// When it may not pass, whatever the reason: a gateway is told no unless we are sure.
    pub async fn check(&self, visit: Visit) -> Result<Pass, Denial> {
        let Visit { method, headers, question } = visit;
        let metadata = MetadataMap::from_headers(headers);
        let page = self.page(method.as_ref(), &metadata).map_err(Denial::cross_site)?;
        let call = Call::with(&metadata, page, question.clone());
        let answer = async { self.verifier.authenticate(call.access_token()?).await };
        match answer.await {
            Ok(caller) => Ok(Pass { caller, cookies: cookies::without_ours(&metadata) }),
            Err(error) => Err(Denial::of(&error, question.as_deref())),
        }
    }

    /// The cookies that count. CSRF: a browser adds them unasked, so the page has to be one that may call; only following a
    /// link, which names no page, is free, since `SameSite=Lax` lets nothing else through. A bearer token leaves them aside.
    fn page(&self, method: Option<&Method>, metadata: &MetadataMap) -> Result<Option<CookieProfile>, String> {
        let headers: &HeaderMap = metadata.as_ref();
        let count = !headers.contains_key(AUTHORIZATION) && cookies::are_ours_there(metadata);
        if !count || !self.origins.have_cookies() {
            return Ok(None);
        }
        let changes_nothing = method.is_some_and(Method::is_safe);
        if changes_nothing && !headers.contains_key(ORIGIN) {
            return Ok(Some(CookieProfile::SameSite));
        }
        self.origins.of_page(headers).map(Some)
    }
}

impl Pass {
    /// What the service behind the gateway is told: always all of it, so that nothing of a visitor's own making is left.
    #[must_use]
    pub fn headers(&self) -> [(HeaderName, HeaderValue); 4] {
        let roles: Vec<_> = self.caller.roles().iter().map(Role::as_str).collect();
        let value = |text: String| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
        let named = HeaderName::from_static;
        [
            (named("x-auth-user"), value(self.caller.user().to_string())),
            (named("x-auth-session"), value(self.caller.session().to_string())),
            (named("x-auth-roles"), value(roles.join(" "))),
            (named("x-auth-time"), value(self.caller.authenticated_at().unix_seconds().to_string())),
        ]
    }

    /// The visitor's cookies without ours: a refresh token is nobody's business behind the gateway.
    #[must_use]
    pub fn cookies(&self) -> &str {
        &self.cookies
    }
}

impl Denial {
    fn cross_site(missing: String) -> Self {
        tracing::info!(missing, "a gateway's visitor was refused: cross-site request");
        Self { status: 403, code: Code::PermissionDenied, challenge: None, message: missing }
    }

    fn of(error: &Error, question: Option<&Arrival>) -> Self {
        let status = status(error, question);
        let code = status.code();
        let http = match code {
            Code::Unauthenticated => 401,
            Code::PermissionDenied => 403,
            _ => 503,
        };
        let details = status.get_error_details();
        let reason = details.error_info().map_or("", |info| info.reason.as_str());
        let challenge = (http == 401).then(|| match reason {
            "NOT_SIGNED_IN" => "Bearer realm=\"countersign\"".to_owned(),
            _ => format!("Bearer realm=\"countersign\", error=\"invalid_token\", error_description=\"{reason}\""),
        });
        Self { status: http, code, challenge, message: status.message().to_owned() }
    }
}
