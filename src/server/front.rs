//! What every request passes first: it gets its name, its caller is found out, and what comes of it is seen.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::http::{Method, Request, Response, header::ORIGIN};
use ipnet::IpNet;
use tokio::time::Instant;
use tower::{
    Service, ServiceBuilder, ServiceExt as _,
    util::{Either, option_layer},
};
use tower_http::cors::{Cors, CorsLayer};

use super::{client, guard::Wire, headers, request_id, request_id::RequestIds, trace, trace::Observer};
use crate::grpc::Arrival;

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
/// request. Whoever serves a connection clones it for every request too, so there is little to clone.
pub(super) struct Fronted<S>(Arc<Stack<S>>);

struct Stack<S> {
    front: Front,
    /// For what comes from programs.
    direct: S,
    /// For what pages may have sent.
    shared: Either<Cors<S>, S>,
}

impl Front {
    /// Puts it before everything; what pages may read is up to `cors`.
    pub(super) fn before<S: Clone>(self, behind: S, cors: Option<CorsLayer>) -> Fronted<S> {
        let shared = ServiceBuilder::new().layer(option_layer(cors)).service(behind.clone());
        Fronted(Arc::new(Stack { front: self, direct: behind, shared }))
    }

    fn receive<B>(&self, request: &Request<B>) -> Arc<Arrival> {
        Arc::new(Arrival {
            at: Instant::now(),
            id: self.ids.next(),
            device: client::identify(request.extensions(), request.headers(), &self.trusted_proxies),
        })
    }
}

impl<S> Clone for Fronted<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
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
    S: Service<Request<B>, Response = Response<R>, Future: Send> + Clone + Send + Sync + 'static,
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
        let arrival = self.0.front.receive(&request);
        request.extensions_mut().insert(Arc::clone(&arrival));
        let is_from_a_program = is_from_a_program(&request);
        let stack = Arc::clone(&self.0);
        let behind =
            if is_from_a_program { Either::Left(stack.direct.clone()) } else { Either::Right(stack.shared.clone()) };
        Box::pin(async move {
            let front = &stack.front;
            let id = arrival.id;
            let answer = |request| behind.oneshot(request);
            let mut response = trace::observe(&front.observer, arrival, request, answer).await?;
            request_id::tell(&mut response, id);
            if !is_from_a_program {
                headers::harden(&mut response, front.has_tls);
            }
            Ok(response)
        })
    }
}
