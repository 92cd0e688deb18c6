//! The feed for those who keep by themselves what it tells, as countersign's own edges do.

use std::time::{Duration, SystemTime};

use tonic::Status;

use super::{Ear, STALE_AFTER, listener, service::Service};
use crate::{
    BuildError,
    builder::checked,
    clock::Clock,
    keys::roots,
    proto::{VerifyTokenRequest, WatchRevocationsRequest},
};

/// The countersign that a [`Follower`] follows.
pub struct Upstream {
    /// Where it answers gRPC: `https://…`, or `http://…` on this machine.
    pub url: String,
    /// What lets us in, `cs_bk_…`.
    pub backend_key: String,
    /// Who vouches for it beside the public authorities: certificates in PEM.
    pub certificate_authority: Option<String>,
    /// Whether `http://…` may lead to another machine: see [`crate::VerifierBuilder::trust_plain_http`].
    pub trust_plain_http: bool,
}

impl Upstream {
    /// Whether the settings can be right. Calls nobody.
    ///
    /// # Errors
    /// When one cannot.
    pub fn check(&self) -> Result<(), BuildError> {
        checked(&self.url, self.trust_plain_http)?;
        roots(self.certificate_authority.as_deref()).map(drop)
    }
}

/// Follows the feed, and has others keep what it tells. A [`crate::Verifier`] with a [`crate::Feed`] needs none.
pub struct Follower {
    service: Service,
    clock: Clock,
    patience: Duration,
}

impl Follower {
    /// Of `upstream`, by this clock. One that nobody sets is best: moments are only compared with each other.
    ///
    /// # Errors
    /// When a setting cannot be right.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn new(
        upstream: &Upstream,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Result<Self, BuildError> {
        upstream.check()?;
        let service =
            Service::new(upstream.url.clone(), &upstream.backend_key, upstream.certificate_authority.as_deref())?;
        Ok(Self { service, clock: Clock::new(clock), patience: STALE_AFTER })
    }

    /// Tells `ear` all that the feed says, until it is dropped: comes back whenever the line breaks, with the place where it
    /// left. `as_edge` asks for what an edge of countersign has to know as well.
    pub async fn follow(&self, as_edge: bool, ear: &mut impl Ear) {
        let question = WatchRevocationsRequest { as_edge, ..WatchRevocationsRequest::default() };
        listener::listen(&self.service, &self.clock, self.patience, question, ear).await;
    }

    /// Whether a token counts, as countersign knows it.
    ///
    /// # Errors
    /// When it does not answer within 5 seconds, or says that we may not ask.
    pub async fn is_active(&self, question: VerifyTokenRequest) -> Result<bool, Status> {
        self.service.is_active(question).await
    }
}
