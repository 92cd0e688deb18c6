//! A tower layer that lets only those requests in whose access token is good, and says in the request whose it is.

mod bearer;
mod body;
mod demands;
mod denial;
#[cfg(feature = "tonic")]
mod grpc;

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response, header::AUTHORIZATION};
use tower_layer::Layer;
use tower_service::Service;

pub use body::{AuthBody, BoxError};
pub(crate) use denial::Denial;

use crate::{Claims, Verifier};
use body::End;
use demands::Demands;

/// Lets only those requests in that carry `authorization: Bearer <access token>`, and puts [`Claims`] into their extensions.
///
/// A request that is not let in is answered as its sender reads it: a gRPC call by a gRPC status with countersign's own
/// reason (with the feature `tonic`), anything else by 401, 403 or 503, `WWW-Authenticate`, and the reason in JSON.
///
/// A layer for CORS goes outside of this one: a browser's preflight carries no token.
#[derive(Debug, Clone)]
pub struct AuthLayer {
    verifier: Verifier,
    demands: Arc<Demands>,
}

/// The service that [`AuthLayer`] makes.
#[derive(Debug, Clone)]
pub struct Auth<S> {
    inner: S,
    layer: AuthLayer,
}

/// The request came without a token, where it may: told to those who ask for [`Claims`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anonymous;

impl AuthLayer {
    /// Lets in whoever this verifier knows.
    #[must_use]
    pub fn new(verifier: Verifier) -> Self {
        Self { verifier, demands: Arc::default() }
    }

    /// Lets in only those who have this role; said twice, only those who have both.
    #[must_use]
    pub fn require_role(mut self, role: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.demands).roles.push(role.into());
        self
    }

    /// Lets in only those who proved who they are within this time: for what a session left open must not do. Others are told
    /// to sign in again (gRPC: `STEP_UP_REQUIRED`; HTTP: RFC 9470).
    #[must_use]
    pub fn require_fresh(mut self, max_age: Duration) -> Self {
        let demands = Arc::make_mut(&mut self.demands);
        demands.max_age = Some(demands.max_age.map_or(max_age, |other| other.min(max_age)));
        self
    }

    /// Lets in requests without a token too, without [`Claims`]; unless a role or freshness is required, which nobody
    /// without a token has. A token that does not pass is refused all the same.
    #[must_use]
    pub fn optional(mut self) -> Self {
        Arc::make_mut(&mut self.demands).optional = true;
        self
    }

    /// Waits until a stream for this person has to end; `None` if nobody would tell.
    #[cfg_attr(not(feature = "feed"), expect(clippy::unused_self, reason = "the feed is the verifier's"))]
    fn end(&self, claims: &Claims) -> Option<End> {
        #[cfg(feature = "feed")]
        return self.verifier.revocations_age().map(|_| Box::pin(self.verifier.session_ended(claims)) as End);
        #[cfg(not(feature = "feed"))]
        {
            let _ = claims;
            None
        }
    }

    /// Whose request it is, or why it is not let in.
    async fn admit<B>(&self, request: &mut Request<B>) -> Result<Option<Claims>, Denial> {
        let token = bearer::token(request.headers())?.map(str::to_owned);
        // Nobody further in prints it by accident.
        if let Some(value) = request.headers_mut().get_mut(AUTHORIZATION) {
            value.set_sensitive(true);
        }
        let Some(token) = token else { return self.demands.admit_nobody().map(|()| None) };
        let claims = self.verifier.verify(&token).await?;
        self.demands.admit(&claims, self.verifier.now())?;
        Ok(Some(claims))
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { inner, layer: self.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for Auth<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<AuthBody<R>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The one that was found ready is the one to call; the clone takes its place.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move {
            // What an outer layer said is not for this one to vouch for.
            request.extensions_mut().remove::<Claims>();
            request.extensions_mut().remove::<Anonymous>();
            match layer.admit(&mut request).await {
                Ok(Some(claims)) => {
                    let end = layer.end(&claims);
                    request.extensions_mut().insert(claims);
                    let answer = inner.call(request).await?;
                    Ok(body::ending(answer, end))
                }
                Ok(None) => {
                    request.extensions_mut().insert(Anonymous);
                    Ok(body::ending(inner.call(request).await?, None))
                }
                Err(denial) => Ok(denial.answer(request.headers()).map(AuthBody::ours)),
            }
        })
    }
}
