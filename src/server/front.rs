//! What every request passes first: it gets its name, its caller is found out, and what comes of it is seen.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::http::{Method, Request, Response, header::ORIGIN};
use ipnet::IpNet;
use tower::{
    Service, ServiceBuilder, ServiceExt as _,
    util::{Either, option_layer},
};
use tower_http::cors::{Cors, CorsLayer};

use super::{client, deadline, guard::Wire, headers, request_id, request_id::RequestIds, trace, trace::Observer};

/// What the front needs for its work.
pub(super) struct Front {
    pub(super) ids: RequestIds,
    pub(super) trusted_proxies: Vec<IpNet>,
    pub(super) observer: Observer,
    pub(super) has_tls: bool,
}

/// What stands behind it.
///
/// A service of its own, where functions in layers of `axum` would do: those box and clone all that is behind them for every
/// request.
#[derive(Clone)]
pub(super) struct Fronted<S> {
    front: Arc<Front>,
    /// For what comes from programs.
    direct: S,
    /// For what pages may have sent.
    shared: Either<Cors<S>, S>,
}

impl Front {
    /// Puts it before everything; what pages may read is up to `cors`.
    pub(super) fn layer<S: Clone>(self, cors: Option<CorsLayer>) -> impl Fn(S) -> Fronted<S> + Clone {
        let front = Arc::new(self);
        move |behind: S| Fronted {
            front: Arc::clone(&front),
            direct: behind.clone(),
            shared: ServiceBuilder::new().layer(option_layer(cors.clone())).service(behind),
        }
    }
}

/// Whether no page has sent it, so that no browser will look at the answer: a page that sends this type names its origin. What is
/// no `POST` may be a gateway's question about somebody else's request, with the headers of that.
fn is_from_a_program<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    request.method() == Method::POST && Wire::of(headers) == Some(Wire::Native) && !headers.contains_key(ORIGIN)
}

impl<S, B, R> Service<Request<B>> for Fronted<S>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send> + Clone + Send + 'static,
    B: Send + 'static,
    R: Default + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    /// Each request waits for itself.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        deadline::note_arrival(&mut request);
        let front = Arc::clone(&self.front);
        let is_from_a_program = is_from_a_program(&request);
        let behind =
            if is_from_a_program { Either::Left(self.direct.clone()) } else { Either::Right(self.shared.clone()) };
        Box::pin(async move {
            let id = front.ids.name(&mut request);
            client::identify(&mut request, &front.trusted_proxies);
            let mut response = trace::observe(&front.observer, request, |request| behind.oneshot(request)).await?;
            request_id::tell(&mut response, id);
            if !is_from_a_program {
                headers::harden(&mut response, front.has_tls);
            }
            Ok(response)
        })
    }
}
