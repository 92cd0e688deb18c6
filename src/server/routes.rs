//! Which layers a request passes, and in what order: decided here and nowhere else.

use std::sync::Arc;

use axum::{
    Router,
    http::{
        Request,
        header::{AUTHORIZATION, COOKIE, SET_COOKIE},
    },
    middleware::from_fn_with_state,
};
use envoy_types::ext_authz::v3::pb::AuthorizationServer;
use ipnet::IpNet;
use tonic::service::Routes;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_reflection::server::Builder as Reflection;
use tonic_web::GrpcWebLayer;
use tower::{
    ServiceBuilder,
    util::{MapRequestLayer, MapResponseLayer},
};
use tower_http::{catch_panic::CatchPanicLayer, sensitive_headers::SetSensitiveHeadersLayer};

use super::{
    Settings, client, cors, deadline, framing, guard, headers, http, panics, request_id, trace, trace::Observer, verify,
};
use crate::{
    app::App,
    entropy::{Entropy, OsEntropy},
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

/// Everything that is served, behind its layers; the outermost stands first.
pub(super) fn routes(
    app: App,
    health: HealthServer<impl Health>,
    observer: Observer,
    settings: &Settings,
) -> Result<Routes, tonic_reflection::server::Error> {
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let trusted_proxies: Arc<[IpNet]> = settings.trusted_proxies.as_slice().into();

    let origins = Arc::new(settings.origins.clone());
    let gateway = Gateway::new(app.clone(), Arc::clone(&origins));
    let calls = services(app.clone(), gateway.clone(), health, settings)?.layer(
        ServiceBuilder::new()
            .layer(from_fn_with_state(origins, guard::guard))
            // Around the calls alone: to anything else over HTTP/1.1 it answers 400.
            .layer(GrpcWebLayer::new())
            .layer(MapRequestLayer::new(|request: Request<tonic::body::Body>| request.map(axum::body::Body::new)))
            .layer(MapResponseLayer::new(framing::blame_the_caller))
            .layer(from_fn_with_state(settings.request_timeout, deadline::hold))
            .layer(CatchPanicLayer::custom(panics::counting(Arc::clone(&observer.metrics)))),
    );
    let all = Router::new().merge(http::routes(app)).merge(verify::routes(gateway)).merge(calls).layer(
        ServiceBuilder::new()
            .layer(SetSensitiveHeadersLayer::new([AUTHORIZATION, COOKIE, SET_COOKIE]))
            .layer(MapResponseLayer::new(headers::harden(settings.tls.is_some())))
            .layer(from_fn_with_state(entropy, request_id::name))
            .layer(from_fn_with_state(trusted_proxies, client::identify))
            .layer(from_fn_with_state(Arc::new(observer), trace::observe))
            .option_layer(cors::layer(&settings.origins)),
    );
    Ok(Routes::from(all))
}

/// The gRPC services.
fn services(
    app: App,
    gateway: Gateway,
    health: HealthServer<impl Health>,
    settings: &Settings,
) -> Result<Router, tonic_reflection::server::Error> {
    let auth = AuthServiceServer::new(AuthApi::new(app.clone()))
        .max_decoding_message_size(LARGEST_REQUEST)
        .max_encoding_message_size(LARGEST_ANSWER);
    let account = AccountServiceServer::new(AccountApi::new(app.clone()))
        .max_decoding_message_size(LARGEST_REQUEST)
        .max_encoding_message_size(LARGEST_ANSWER);
    let tokens = TokenServiceServer::new(TokenApi::new(app))
        .max_decoding_message_size(LARGEST_BATCH)
        .max_encoding_message_size(LARGEST_ANSWER);
    let ext_authz = AuthorizationServer::new(ExtAuthz::new(gateway)).max_decoding_message_size(LARGEST_REQUEST);
    let mut services = Routes::new(auth.clone())
        .add_service(account)
        .add_service(tokens)
        .add_service(ext_authz)
        .add_service(health.max_decoding_message_size(LARGEST_REQUEST));
    if settings.reflection {
        // Each version lists what its own builder knows, and older tools speak only v1alpha.
        let v1 = reflection().build_v1()?.max_decoding_message_size(LARGEST_REQUEST);
        let v1alpha = reflection().build_v1alpha()?.max_decoding_message_size(LARGEST_REQUEST);
        services = services.add_service(v1).add_service(v1alpha);
    }
    // A path that leads nowhere gets the very answer of a method that is not there: nobody maps the API by the difference.
    Ok(services.into_axum_router().fallback_service(auth))
}

fn reflection() -> Reflection<'static> {
    Reflection::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTOR)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
