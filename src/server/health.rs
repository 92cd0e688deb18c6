//! What `grpc.health.v1` says: of the whole service, and of each one in it.

use std::time::Duration;

use tokio::{select, time::interval};
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    app::Verifier,
    grpc::{AccountApi, AuthApi, TokenApi},
    proto::{
        account_service_server::AccountServiceServer, auth_service_server::AuthServiceServer,
        token_service_server::TokenServiceServer,
    },
};

/// How often an edge sees whether it knows enough.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Of a node with accounts.
pub(super) const OF_ALL: &[&str] = &[
    <AuthServiceServer<AuthApi> as NamedService>::NAME,
    <AccountServiceServer<AccountApi> as NamedService>::NAME,
    <TokenServiceServer<TokenApi> as NamedService>::NAME,
];
/// Of an edge.
pub(super) const OF_TOKENS: &[&str] = &[<TokenServiceServer<TokenApi> as NamedService>::NAME];

/// What those who watch its health are told.
pub(super) struct Health {
    reporter: HealthReporter,
    services: &'static [&'static str],
}

impl Health {
    /// Of these services.
    pub(super) fn new(reporter: HealthReporter, services: &'static [&'static str]) -> Self {
        Self { reporter, services }
    }

    /// Tells them.
    pub(super) async fn tell(&self, status: ServingStatus) {
        self.reporter.set_service_status("", status).await;
        for service in self.services {
            self.reporter.set_service_status(*service, status).await;
        }
    }

    /// Tells them until `stop` whether an edge knows enough to answer.
    pub(super) async fn follow(&self, verifier: &Verifier, stop: &CancellationToken) {
        let mut ticks = interval(LOOK_EVERY);
        loop {
            let status =
                if verifier.ready().await.is_ok() { ServingStatus::Serving } else { ServingStatus::NotServing };
            self.tell(status).await;
            select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
        }
    }
}
