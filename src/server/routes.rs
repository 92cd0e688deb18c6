//! Which layers a request passes, and in what order: decided here and nowhere else.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    http::{
        Request, Response,
        header::{AUTHORIZATION, COOKIE, SET_COOKIE},
    },
};
use envoy_types::ext_authz::v3::pb::AuthorizationServer;
use tonic::{body::Body, service::Routes};
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_reflection::server::Builder as Reflection;
use tonic_web::GrpcWebLayer;
use tower::{Service, ServiceBuilder, ServiceExt as _, util::MapResponseLayer};
use tower_http::{catch_panic::CatchPanicLayer, sensitive_headers::SetSensitiveHeadersLayer};

use super::{
    Settings, cors,
    deadline::Deadline,
    dispatch::{Served, Services},
    framing,
    front::Front,
    guard::Guard,
    health::OF_TOKENS,
    http, panics,
    request_id::RequestIds,
    trace::Observer,
    verify,
};
use crate::{
    app::{App, Verifier},
    grpc::{AccountApi, AuthApi, ExtAuthz, Gateway, TokenApi},
    proto::{
        self, account_service_server::AccountServiceServer, auth_service_server::AuthServiceServer,
        token_service_server::TokenServiceServer,
    },
};

/// The largest request that is read: a password of the longest is a fiftieth of it.
const LARGEST_REQUEST: usize = 64 * 1024;
/// The same where a hundred tokens are asked about at once.
const LARGEST_BATCH: usize = 512 * 1024;
/// The largest answer that is sent.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// Everything that is served, behind all that a request passes before; the outermost stands first. An edge has no accounts.
pub(super) fn service(
    observer: Observer,
    verifier: &Verifier,
    accounts: Option<&App>,
    health: HealthServer<impl Health>,
    settings: &Settings,
) -> Result<
    impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static,
    tonic_reflection::server::Error,
> {
    let front = Front {
        ids: RequestIds::default(),
        trusted_proxies: settings.trusted_proxies.clone(),
        observer,
        has_tls: settings.tls.is_some(),
    };
    let served = served(verifier, accounts, health, settings)?;
    Ok(ServiceBuilder::new()
        .layer(SetSensitiveHeadersLayer::new([AUTHORIZATION, COOKIE, SET_COOKIE]))
        .service(front.before(served, cors::layer(&settings.origins))))
}

/// Calls, and what is not gRPC.
fn served(
    verifier: &Verifier,
    accounts: Option<&App>,
    health: HealthServer<impl Health>,
    settings: &Settings,
) -> Result<
    Served<
        impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
    >,
    tonic_reflection::server::Error,
> {
    let origins = Arc::new(settings.origins.clone());
    let gateway = Gateway::new(verifier.clone(), Arc::clone(&origins));
    let calls = ServiceBuilder::new()
        .layer_fn(move |behind| Guard::before(behind, Arc::clone(&origins)))
        // Around the calls alone: to anything else over HTTP/1.1 it answers 400.
        .layer(GrpcWebLayer::new())
        .layer(MapResponseLayer::new(framing::blame_the_caller))
        .layer_fn(|behind| Deadline::of(behind, settings.request_timeout))
        .layer(CatchPanicLayer::custom(panics::counting(Arc::clone(verifier.metrics()))))
        .service(services(gateway.clone(), (verifier, accounts), health, settings)?);
    let left_over = calls.clone().map_request(|request: Request<axum::body::Body>| request.map(Body::new));
    let rest =
        Router::new().merge(http::routes(verifier.clone())).merge(verify::routes(gateway)).fallback_service(left_over);
    Ok(Served { calls, rest: Routes::from(rest).prepare() })
}

/// The gRPC services.
fn services(
    gateway: Gateway,
    (verifier, accounts): (&Verifier, Option<&App>),
    health: HealthServer<impl Health>,
    settings: &Settings,
) -> Result<Services, tonic_reflection::server::Error> {
    let tokens = TokenServiceServer::new(TokenApi::new(verifier.clone()))
        .max_decoding_message_size(LARGEST_BATCH)
        .max_encoding_message_size(LARGEST_ANSWER);
    let ext_authz = AuthorizationServer::new(ExtAuthz::new(gateway)).max_decoding_message_size(LARGEST_REQUEST);
    let accounts = accounts.map(|app| {
        let auth = AuthServiceServer::new(AuthApi::new(app.clone()))
            .max_decoding_message_size(LARGEST_REQUEST)
            .max_encoding_message_size(LARGEST_ANSWER);
        let account = AccountServiceServer::new(AccountApi::new(app.clone()))
            .max_decoding_message_size(LARGEST_REQUEST)
            .max_encoding_message_size(LARGEST_ANSWER);
        (auth, account)
    });
    let mut rest = Routes::new(ext_authz).add_service(health.max_decoding_message_size(LARGEST_REQUEST));
    if settings.reflection {
        // Each version lists what its own builder knows, and older tools speak only v1alpha.
        let of = |version| reflection(accounts.is_some(), version);
        let v1 = of("grpc.reflection.v1").build_v1()?.max_decoding_message_size(LARGEST_REQUEST);
        let v1alpha = of("grpc.reflection.v1alpha").build_v1alpha()?.max_decoding_message_size(LARGEST_REQUEST);
        rest = rest.add_service(v1).add_service(v1alpha);
    }
    // A path that leads nowhere gets the very answer of a method that is not there: nobody maps the API by the difference.
    let rest = rest.into_axum_router().fallback_service(tokens.clone());
    Ok(Services::new(tokens, accounts, Routes::from(rest).prepare()))
}

/// Describes all that there is, and lists it; an edge lists what it serves.
fn reflection(is_all_served: bool, version: &str) -> Reflection<'static> {
    let described = Reflection::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTOR)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    if is_all_served {
        return described;
    }
    described
        .with_service_name(OF_TOKENS[0])
        .with_service_name("grpc.health.v1.Health")
        .with_service_name(format!("{version}.ServerReflection"))
}
