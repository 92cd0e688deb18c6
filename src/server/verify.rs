//! `GET /verify`: how nginx (`auth_request`), Caddy and Traefik (`forward_auth`) ask.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header::WWW_AUTHENTICATE},
    response::{IntoResponse as _, Response},
    routing::get,
};

use crate::grpc::{Arrival, Denial, Gateway, Pass, Visit, only};

/// The visitor's method: Caddy and Traefik send it, nginx where it is told to.
const METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
/// The visitor's cookies without ours, to be sent on in place of all of them.
const COOKIES: HeaderName = HeaderName::from_static("x-auth-cookie");

/// The route.
pub(super) fn routes(gateway: Gateway) -> Router {
    Router::new().route("/verify", get(verify)).with_state(gateway)
}

async fn verify(State(gateway): State<Gateway>, request: Request) -> Response {
    let question = Arrival::of(request.extensions()).cloned();
    let headers = request.into_parts().0.headers;
    let method = only(&headers, &METHOD).and_then(|method| method.as_bytes().try_into().ok());
    match gateway.check(Visit { method, headers, question }).await {
        Ok(pass) => passed(&pass),
        Err(denial) => denied(denial),
    }
}

fn passed(pass: &Pass) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().extend(pass.headers());
    // Out of visible characters of a header of the request's.
    if let Ok(mut cookies) = HeaderValue::from_str(pass.cookies()) {
        cookies.set_sensitive(true);
        response.headers_mut().insert(COOKIES, cookies);
    }
    response
}

fn denied(denial: Denial) -> Response {
    let status = StatusCode::from_u16(denial.status).unwrap_or(StatusCode::FORBIDDEN);
    let mut response = (status, denial.message + "\n").into_response();
    if let Some(challenge) = denial.challenge.and_then(|challenge| HeaderValue::try_from(challenge).ok()) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}
