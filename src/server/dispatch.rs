//! Takes a request to whom it is for.
//!
//! The services that are called most are found by name. A router boxes and clones, for every request, all that stands before the
//! service that it finds.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::http::{Request, Response};
use tokio_util::either::Either;
use tonic::{body::Body, codegen::BoxFuture, service::Routes};
use tower::Service;

use crate::{
    grpc::{AccountApi, AuthApi, TokenApi},
    proto::{
        account_service_server::{self, AccountServiceServer},
        auth_service_server::{self, AuthServiceServer},
        token_service_server::{self, TokenServiceServer},
    },
};

type Rest = <Routes as Service<Request<Body>>>::Future;

/// All that is served.
#[derive(Clone)]
pub(super) struct Served<C> {
    /// Calls of our services.
    pub(super) calls: C,
    /// Whatever else there is.
    pub(super) rest: Routes,
}

impl<C> Service<Request<Body>> for Served<C>
where
    C: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<C::Future, Rest>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The rest always is.
        self.calls.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if Ours::of(request.uri().path()).is_some() {
            Either::Left(self.calls.call(request))
        } else {
            Either::Right(self.rest.call(request))
        }
    }
}

/// The services that calls are of.
#[derive(Clone)]
pub(super) struct Services(Arc<All>);

struct All {
    tokens: TokenServiceServer<TokenApi>,
    accounts: Option<(AuthServiceServer<AuthApi>, AccountServiceServer<AccountApi>)>,
    rest: Routes,
}

impl Services {
    /// An edge has no accounts.
    pub(super) fn new(
        tokens: TokenServiceServer<TokenApi>,
        accounts: Option<(AuthServiceServer<AuthApi>, AccountServiceServer<AccountApi>)>,
        rest: Routes,
    ) -> Self {
        Self(Arc::new(All { tokens, accounts, rest }))
    }
}

impl Service<Request<Body>> for Services {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<BoxFuture<Response<Body>, Infallible>, Rest>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let All { tokens, accounts, rest } = self.0.as_ref();
        match (Ours::of(request.uri().path()), accounts) {
            (Some(Ours::Tokens), _) => Either::Left(tokens.clone().call(request)),
            (Some(Ours::Auth), Some((auth, _))) => Either::Left(auth.clone().call(request)),
            (Some(Ours::Account), Some((_, account))) => Either::Left(account.clone().call(request)),
            _ => Either::Right(rest.clone().call(request)),
        }
    }
}

/// Services of ours, by the paths of their calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ours {
    Account,
    Auth,
    Tokens,
}

impl Ours {
    /// `/service/method`.
    fn of(path: &str) -> Option<Self> {
        match path.strip_prefix('/')?.split_once('/')?.0 {
            account_service_server::SERVICE_NAME => Some(Self::Account),
            auth_service_server::SERVICE_NAME => Some(Self::Auth),
            token_service_server::SERVICE_NAME => Some(Self::Tokens),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_calls_are_known_by_their_paths() {
        assert_eq!(Ours::of("/countersign.v1.AuthService/WhoAmI"), Some(Ours::Auth));
        assert_eq!(Ours::of("/countersign.v1.AccountService/ListSessions"), Some(Ours::Account));
        assert_eq!(Ours::of("/countersign.v1.TokenService/"), Some(Ours::Tokens));
        for other in [
            "",
            "/",
            "*",
            "/countersign.v1.AuthService",
            "countersign.v1.AuthService/WhoAmI",
            "//countersign.v1.AuthService/WhoAmI",
            "/countersign.v1.authservice/WhoAmI",
            "/countersign.v1.AuthServices/WhoAmI",
            "/grpc.health.v1.Health/Check",
            "/healthz",
        ] {
            assert_eq!(Ours::of(other), None, "{other}");
        }
    }
}
