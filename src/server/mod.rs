//! Ring 4: puts the service on a port, and takes it off again without breaking a call.

mod chores;
mod client;
mod connection;
mod cors;
mod deadline;
mod dispatch;
mod exporter;
mod framing;
mod front;
mod guard;
mod headers;
mod health;
mod http;
mod incoming;
mod limits;
mod panics;
mod request_id;
mod routes;
mod scrape;
mod settings;
mod spans;
mod tls;
mod trace;
mod verify;

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::http::{Request, Response};
use tokio::{
    net::TcpListener,
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic_health::{ServingStatus, server::health_reporter};
use tower::Service;

pub use exporter::{Collector, InvalidCollector};
pub use settings::{Settings, TlsFiles, Traces};
pub use tls::TlsError;

use self::{
    exporter::Exporter,
    health::{Health, OF_ALL, OF_TOKENS},
    incoming::Incoming,
    limits::Limits,
    scrape::Watched,
    tls::Certificate,
    trace::Observer,
};
use crate::app::{App, Edge, Verifier};

/// Why the service cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is taken, not ours, or not allowed.
    #[error("cannot listen on {address}: {why}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        why: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Why the service stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The API cannot describe itself.
    #[error("cannot read the API's own descriptor")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// Serving failed.
    #[error("cannot serve")]
    Transport(#[from] tonic::transport::Error),
}

/// A service that has its port, and does not answer yet.
pub struct Server {
    settings: Settings,
    listener: TcpListener,
    address: SocketAddr,
    metrics: Option<(TcpListener, SocketAddr)>,
    tls: Option<(Arc<Certificate>, TlsAcceptor)>,
}

impl Server {
    /// Takes the ports and reads the certificate.
    ///
    /// # Errors
    /// When either cannot be had; it says which, and why.
    pub async fn bind(settings: Settings) -> Result<Self, BindError> {
        let tls = match settings.tls.clone() {
            Some(files) => {
                let certificate = Arc::new(Certificate::load(files).await?);
                Some((Arc::clone(&certificate), certificate.acceptor()?))
            }
            None => None,
        };
        let (listener, address) = listen(settings.listen).await?;
        let metrics = match settings.metrics {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        Ok(Self { settings, listener, address, metrics, tls })
    }

    /// Where it listens, with the port that the operating system chose.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where Prometheus reads.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|(_, address)| *address)
    }

    /// The same as clients write it.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves `app` until `stop`; then says so to whoever watches its health, accepts nobody, and lets open calls finish, but
    /// no longer than [`Settings::drain_timeout`]. When it returns, or is dropped, every connection is closed.
    ///
    /// # Errors
    /// When it cannot begin to serve.
    pub async fn run(mut self, app: App, stop: CancellationToken) -> Result<(), RunError> {
        let mut chores = JoinSet::new();
        let hint = Arc::new(Notify::new());
        chores.spawn(chores::pull_revocations(app.clone(), Arc::clone(&hint)));
        chores.spawn(chores::hear_hints(app.clone(), Arc::clone(&hint)));
        chores.spawn(chores::give_hints(app.clone(), hint));
        chores.spawn(chores::forget(app.verifier().clone()));
        chores.spawn(chores::rotate_keys(app.clone()));
        chores.spawn(chores::sweep(app.clone()));
        chores.spawn(chores::sweep_sessions(app.clone()));
        let (reporter, health_service) = health_reporter();
        let health = Health::new(reporter, OF_ALL);
        health.tell(ServingStatus::Serving).await;
        let verifier = app.verifier().clone();
        let (observer, exporter) = self.observe(&verifier, Some(&app), &mut chores);
        let service = routes::service(observer, &verifier, Some(&app), health_service, &self.settings)?;
        // Letters that are on their way end as calls do: cut off, they might arrive and be sent again.
        let delivering = chores::deliver_mail(app, stop.clone());
        let stopping = async {
            stop.cancelled().await;
            health.tell(ServingStatus::NotServing).await;
            verifier.stop_watches();
        };
        // On the heap: what all of it carries along is large.
        Box::pin(self.serve((service, &verifier), chores, (delivering, stopping), &stop)).await?;
        exporter::flush(exporter).await;
        Ok(())
    }

    /// The same for an edge, which is healthy as long as it knows enough to answer.
    ///
    /// # Errors
    /// When it cannot begin to serve.
    pub async fn run_edge(mut self, edge: Edge, stop: CancellationToken) -> Result<(), RunError> {
        let verifier = edge.verifier().clone();
        let mut chores = JoinSet::new();
        chores.spawn(async move { edge.follow().await });
        chores.spawn(chores::forget(verifier.clone()));
        let (reporter, health_service) = health_reporter();
        let health = Health::new(reporter, OF_TOKENS);
        health.tell(ServingStatus::NotServing).await;
        let (observer, exporter) = self.observe(&verifier, None, &mut chores);
        let service = routes::service(observer, &verifier, None, health_service, &self.settings)?;
        let stopping = async {
            Box::pin(health.follow(&verifier, &stop)).await;
            health.tell(ServingStatus::NotServing).await;
            verifier.stop_watches();
        };
        Box::pin(self.serve((service, &verifier), chores, (async {}, stopping), &stop)).await?;
        exporter::flush(exporter).await;
        Ok(())
    }

    /// Begins to tell whoever watches.
    fn observe(
        &mut self,
        verifier: &Verifier,
        accounts: Option<&App>,
        chores: &mut JoinSet<()>,
    ) -> (Observer, Option<Exporter>) {
        let metrics = Arc::clone(verifier.metrics());
        if let Some((listener, _)) = self.metrics.take() {
            let watched = Watched { verifier: verifier.clone(), accounts: accounts.cloned() };
            chores.spawn(scrape::serve(listener, watched, self.settings.clone()));
        }
        let (spans, exporter) = self.settings.traces.as_ref().map_or((None, None), |traces| {
            let (spans, exporter) = Exporter::start(&traces.collector, Arc::clone(&metrics));
            (Some((spans, traces.one_in)), Some(exporter))
        });
        (Observer { metrics, spans }, exporter)
    }

    /// Serves with `service`, and does the chores, until `stopping` says that it was told to stop; then `last` may end too.
    async fn serve<S>(
        self,
        (service, verifier): (S, &Verifier),
        mut chores: JoinSet<()>,
        (last, stopping): (impl Future<Output = ()>, impl Future<Output = ()>),
        stop: &CancellationToken,
    ) -> Result<(), RunError>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static,
    {
        let cut = CancellationToken::new();
        let _cut_at_the_end = cut.clone().drop_guard();
        let tls = self.tls.map(|(certificate, acceptor)| {
            chores.spawn(certificate.watch());
            acceptor
        });
        let drain_timeout = self.settings.drain_timeout;
        let incoming = Incoming {
            limits: Limits::new(&self.settings),
            patience: self.settings.first_bytes_timeout,
            listener: self.listener,
            tls,
            cut,
            metrics: Arc::clone(verifier.metrics()),
        };
        let served = transport().serve_with_incoming_shutdown(service, incoming.connections(), stopping);
        let last = async {
            last.await;
            Ok(())
        };
        let all = async { tokio::try_join!(served, last) };
        tokio::select! {
            ended = all => drop(ended?),
            () = after(stop, drain_timeout) => tracing::warn!(?drain_timeout, "cut calls that did not end in time, or letters"),
        }
        Ok(())
    }
}

/// Takes a port, and says which it got.
async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BindError> {
    let failed = |why| BindError::Listen { address, why };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// What tonic leaves unlimited unless told, and what keeps dead connections from piling up.
fn transport() -> tonic::transport::Server {
    tonic::transport::Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(100)
        // Rapid reset and its relatives: streams that are opened only to be thrown away.
        .http2_max_local_error_reset_streams(Some(1_024))
        .http2_max_pending_accept_reset_streams(Some(20))
        .http2_max_header_list_size(16 * 1024)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        // So that new certificates and new nodes get their share. No grace: with one, tonic sends no GOAWAY and cuts calls.
        .max_connection_age(Duration::from_mins(30))
}

/// `patience` after `stop`.
async fn after(stop: &CancellationToken, patience: Duration) {
    stop.cancelled().await;
    sleep_until(Instant::now() + patience).await;
}
