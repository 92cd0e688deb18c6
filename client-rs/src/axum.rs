//! `Claims` as an argument of axum's handlers.

use axum_core::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, request::Parts};

use crate::{
    Claims,
    layer::{Anonymous, Denial},
};

/// 401 behind an optional layer, if the request came without a token; 500 without any layer, which is a mistake of ours.
impl<S: Sync> FromRequestParts<S> for Claims {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let claims = <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        claims.ok_or_else(|| Denial::NotSignedIn.http().map(Body::new))
    }
}

/// `None` behind an optional layer, if the request came without a token.
impl<S: Sync> OptionalFromRequestParts<S> for Claims {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Response> {
        match (parts.extensions.get::<Self>(), parts.extensions.get::<Anonymous>()) {
            (Some(claims), _) => Ok(Some(claims.clone())),
            (None, Some(Anonymous)) => Ok(None),
            (None, None) => {
                tracing::error!("a handler asks for Claims, and there is no AuthLayer before it");
                Err(StatusCode::INTERNAL_SERVER_ERROR.into_response())
            }
        }
    }
}
