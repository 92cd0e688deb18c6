//! Stands before every RPC: over HTTP/2 tonic looks neither at the method nor at the content type, and CORS stops nothing.
//!
//! A page that the person visits can send `text/plain`, or no content type at all, without asking (no preflight), and the
//! browser adds our cookies. So the guard takes what no page can send unasked, and from pages only what is listed.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    http::{
        HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
        header::{ALLOW, CONTENT_TYPE, COOKIE, ORIGIN},
    },
    response::IntoResponse as _,
};
use tokio_util::either::Either;
use tonic::{Code, Status, body::Body};
use tower::Service;

use crate::{
    grpc::{Origins, Page, only, refusal},
    proto::ErrorReason,
};

/// Headers of gRPC-web clients: a page that sends one had to ask first.
const MARKERS: [&str; 2] = ["x-grpc-web", "x-user-agent"];
const NOT_GRPC: &str = "this is a gRPC service: the content type must be exactly application/grpc, application/grpc-web or \
                        application/grpc-web-text, each also with +proto\n";

/// Lets through what is a gRPC call, and of those from pages only the listed pages'.
#[derive(Clone)]
pub(super) struct Guard<S> {
    origins: Arc<Origins>,
    behind: S,
}

impl<S> Guard<S> {
    pub(super) fn before(behind: S, origins: Arc<Origins>) -> Self {
        Self { origins, behind }
    }
}

impl<S> Service<Request<Body>> for Guard<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response<Body>, Infallible>>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.behind.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match refuse(&self.origins, &mut request) {
            Some(refused) => Either::Left(ready(Ok(refused))),
            None => Either::Right(self.behind.call(request)),
        }
    }
}

/// The answer to what is not let through; of what is, the page that calls is noted.
fn refuse(origins: &Origins, request: &mut Request<Body>) -> Option<Response<Body>> {
    if request.method() != Method::POST {
        // No body for HEAD (RFC 9110 §9.3.2): over HTTP/2 clients take one for a broken stream.
        let why = if request.method() == Method::HEAD { "" } else { "only POST\n" };
        return Some((StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "POST")], why).into_response().map(Body::new));
    }
    let Some(wire) = Wire::of(request.headers()) else {
        tracing::debug!("refused: not gRPC");
        return Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, NOT_GRPC).into_response().map(Body::new));
    };
    match page(request.headers(), wire, origins) {
        Ok(page) => {
            // Without it no cookie counts: native gRPC has no use for them, and no browser speaks it.
            if let Some(page) = page.filter(|_| wire != Wire::Native && origins.have_cookies()) {
                request.extensions_mut().insert(page);
            }
            None
        }
        Err(missing) => {
            tracing::info!(missing, "refused: cross-site request");
            Some(wire.frame(refusal(Code::PermissionDenied, ErrorReason::Forbidden, &missing)))
        }
    }
}

/// The page that calls, if a page does. CSRF and login CSRF: it must be one that may call, and must have asked; the error
/// says what is missing.
fn page(headers: &HeaderMap, wire: Wire, origins: &Origins) -> Result<Option<Page>, String> {
    let carries_cookies = headers.contains_key(COOKIE) && wire != Wire::Native;
    if !headers.contains_key(ORIGIN) && !carries_cookies {
        return Ok(None);
    }
    let profile = origins.of_page(headers)?;
    if MARKERS.iter().any(|marker| headers.contains_key(*marker)) {
        Ok(Some(Page(profile)))
    } else {
        Err("the header x-grpc-web: 1 is missing".to_owned())
    }
}

/// How a caller frames its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Native,
    Web,
    WebText,
}

impl Wire {
    /// Exactly these: a page may send `text/plain; application/grpc-web` unasked, which a looser match would take.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        match only(headers, &CONTENT_TYPE)?.as_bytes() {
            b"application/grpc" | b"application/grpc+proto" => Some(Self::Native),
            b"application/grpc-web" | b"application/grpc-web+proto" => Some(Self::Web),
            b"application/grpc-web-text" | b"application/grpc-web-text+proto" => Some(Self::WebText),
            _ => None,
        }
    }

    /// A refusal as the caller reads it: all of it is in the headers, whatever the framing.
    fn frame(self, status: Status) -> Response<Body> {
        let content_type = match self {
            Self::Native => "application/grpc",
            Self::Web => "application/grpc-web+proto",
            Self::WebText => "application/grpc-web-text+proto",
        };
        let mut response: Response<Body> = status.into_http();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::CookieProfile::{self, CrossSite, SameSite};

    fn wire(content_types: &[&'static str]) -> Option<Wire> {
        let mut headers = HeaderMap::new();
        for content_type in content_types {
            headers.append(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        Wire::of(&headers)
    }

    fn check(wire: Wire, lines: &[(&'static str, &'static str)]) -> Result<Option<CookieProfile>, String> {
        let origins = Origins::new(
            vec!["https://app.example.com".parse().unwrap()],
            vec!["https://shop.example".parse().unwrap()],
        );
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, HeaderValue::from_static(value));
        }
        page(&map, wire, &origins).map(|page| page.map(|Page(profile)| profile))
    }

    #[test]
    fn six_content_types_are_grpc_and_nothing_else_is() {
        assert_eq!(wire(&["application/grpc"]), Some(Wire::Native));
        assert_eq!(wire(&["application/grpc+proto"]), Some(Wire::Native));
        assert_eq!(wire(&["application/grpc-web"]), Some(Wire::Web));
        assert_eq!(wire(&["application/grpc-web+proto"]), Some(Wire::Web));
        assert_eq!(wire(&["application/grpc-web-text"]), Some(Wire::WebText));
        assert_eq!(wire(&["application/grpc-web-text+proto"]), Some(Wire::WebText));
        for other in [
            "",
            "text/plain",
            "text/plain;application/grpc-web+proto",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/json",
            "application/grpc; charset=utf-8",
            "application/grpc-web+proto;",
            "application/grpc-web+json",
            "application/grpc-webx",
            "Application/gRPC",
            " application/grpc",
            "application/proto",
            "application/connect+proto",
        ] {
            assert_eq!(wire(&[other]), None, "{other:?}");
        }
        assert_eq!(wire(&[]), None);
        assert_eq!(wire(&["application/grpc", "application/grpc"]), None, "two are none");
        assert_eq!(wire(&["application/grpc-web", "text/plain"]), None);
    }

    #[test]
    fn services_need_nothing_of_a_page() {
        assert_eq!(check(Wire::Native, &[]), Ok(None));
        assert_eq!(check(Wire::Web, &[]), Ok(None));
        assert_eq!(check(Wire::Web, &[("authorization", "Bearer x")]), Ok(None));
        assert_eq!(check(Wire::Native, &[("cookie", "a=b")]), Ok(None), "cookies count for nothing there");
    }

    #[test]
    fn a_page_must_be_listed_and_have_asked() {
        for wire in [Wire::Native, Wire::Web, Wire::WebText] {
            for marker in MARKERS {
                assert_eq!(check(wire, &[("origin", "https://app.example.com"), (marker, "1")]), Ok(Some(SameSite)));
                assert_eq!(
                    check(wire, &[("origin", "https://shop.example"), ("cookie", "a=b"), (marker, "1")]),
                    Ok(Some(CrossSite))
                );
                assert_eq!(
                    check(wire, &[("origin", "https://evil.test"), ("sec-fetch-site", "same-origin"), (marker, "1")]),
                    Ok(Some(SameSite))
                );
            }
            let unasked = check(wire, &[("origin", "https://app.example.com"), ("cookie", "a=b")]);
            assert_eq!(unasked, Err("the header x-grpc-web: 1 is missing".to_owned()));
            for site in ["same-site", "cross-site", "none", "same-origin, same-origin"] {
                let refused =
                    check(wire, &[("origin", "https://evil.test"), ("sec-fetch-site", site), ("x-grpc-web", "1")]);
                assert!(refused.is_err(), "{site}");
            }
        }
    }

    #[test]
    fn only_one_listed_origin_will_do() {
        for origin in [
            "null",
            "",
            "https://app.example.com:444",
            "https://app.example.com.evil.test",
            "HTTPS://APP.EXAMPLE.COM",
            "*",
        ] {
            assert!(check(Wire::Web, &[("origin", origin), ("x-grpc-web", "1")]).is_err(), "{origin:?}");
        }
        let two = [("origin", "https://app.example.com"), ("origin", "https://app.example.com"), ("x-grpc-web", "1")];
        assert!(check(Wire::Web, &two).is_err());
        let two = [
            ("origin", "https://evil.test"),
            ("origin", "null"),
            ("sec-fetch-site", "same-origin"),
            ("x-grpc-web", "1"),
        ];
        assert!(check(Wire::Web, &two).is_err());
    }

    #[test]
    fn a_cookie_without_a_page_is_refused() {
        assert!(check(Wire::Web, &[("cookie", "a=b"), ("x-grpc-web", "1")]).is_err());
        assert!(
            check(Wire::WebText, &[("cookie", "a=b"), ("x-grpc-web", "1"), ("sec-fetch-site", "same-site")]).is_err()
        );
        assert_eq!(
            check(Wire::Web, &[("cookie", "a=b"), ("x-grpc-web", "1"), ("sec-fetch-site", "same-origin")]),
            Ok(Some(SameSite))
        );
    }
}
