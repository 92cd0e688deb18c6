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
use tower::{Layer, Service, ServiceBuilder, util::MapResponseLayer};
use tower_http::{catch_panic::CatchPanicLayer, sensitive_headers::SetSensitiveHeadersLayer};

use super::{
    Settings, cors, deadline::Deadline, framing, front::Front, guard::Guard, health::OF_TOKENS, http, panics,
    request_id::RequestIds, trace::Observer, verify,
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

/// What every request passes, whatever it asks for; the outermost stands first.
///
/// Around the router and not in it: there they would be boxed and cloned, one in the other, for every request.
pub(super) fn layers(
    observer: Observer,
    settings: &Settings,
) -> impl Layer<
    Routes,
    Service = impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
              + Clone
              + Send
              + 'static,
> + Clone {
    let front = Front {
        ids: RequestIds::default(),
        trusted_proxies: settings.trusted_proxies.clone(),
        observer,
        has_tls: settings.tls.is_some(),
    };
    ServiceBuilder::new()
        .layer(SetSensitiveHeadersLayer::new([AUTHORIZATION, COOKIE, SET_COOKIE]))
        .layer_fn(front.layer(cors::layer(&settings.origins)))
        .into_inner()
}

/// Everything that is served. An edge has no accounts.
pub(super) fn routes(
    verifier: &Verifier,
    accounts: Option<&App>,
    health: HealthServer<impl Health>,
    settings: &Settings,
) -> Result<Routes, tonic_reflection::server::Error> {
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
    // As what is left over, and not as layers of each of its routes, for the same reason.
    let all =
        Router::new().merge(http::routes(verifier.clone())).merge(verify::routes(gateway)).fallback_service(calls);
    Ok(Routes::from(all))
}

/// The gRPC services.
fn services(
    gateway: Gateway,
    (verifier, accounts): (&Verifier, Option<&App>),
    health: HealthServer<impl Health>,
    settings: &Settings,
) -> Result<Router, tonic_reflection::server::Error> {
    let tokens = TokenServiceServer::new(TokenApi::new(verifier.clone()))
        .max_decoding_message_size(LARGEST_BATCH)
        .max_encoding_message_size(LARGEST_ANSWER);
    let ext_authz = AuthorizationServer::new(ExtAuthz::new(gateway)).max_decoding_message_size(LARGEST_REQUEST);
    let mut services = Routes::new(tokens.clone())
        .add_service(ext_authz)
        .add_service(health.max_decoding_message_size(LARGEST_REQUEST));
    if let Some(app) = accounts {
        let auth = AuthServiceServer::new(AuthApi::new(app.clone()))
            .max_decoding_message_size(LARGEST_REQUEST)
            .max_encoding_message_size(LARGEST_ANSWER);
        let account = AccountServiceServer::new(AccountApi::new(app.clone()))
            .max_decoding_message_size(LARGEST_REQUEST)
            .max_encoding_message_size(LARGEST_ANSWER);
        services = services.add_service(auth).add_service(account);
    }
    if settings.reflection {
        // Each version lists what its own builder knows, and older tools speak only v1alpha.
        let of = |version| reflection(accounts.is_some(), version);
        let v1 = of("grpc.reflection.v1").build_v1()?.max_decoding_message_size(LARGEST_REQUEST);
        let v1alpha = of("grpc.reflection.v1alpha").build_v1alpha()?.max_decoding_message_size(LARGEST_REQUEST);
        services = services.add_service(v1).add_service(v1alpha);
    }
    // A path that leads nowhere gets the very answer of a method that is not there: nobody maps the API by the difference.
    Ok(services.into_axum_router().fallback_service(tokens))
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
