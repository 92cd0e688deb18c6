//! What Prometheus reads, on a listener of its own: what goes on in the service is not for everybody.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse as _, Response},
    routing::get,
};
use tokio::{net::TcpListener, sync::Mutex};
use tonic::service::Routes;

use super::{Settings, incoming::Incoming, limits::Limits, transport};
use crate::app::{App, Verifier};

/// <https://prometheus.io/docs/specs/om/open_metrics_spec/#overall-structure>.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// More than one Prometheus has a use for.
const MAX_CONNECTIONS: usize = 32;

/// Who is asked how they are. An edge has no accounts.
pub(super) struct Watched {
    pub(super) verifier: Verifier,
    pub(super) accounts: Option<App>,
}

/// Serves until it is dropped.
pub(super) async fn serve(listener: TcpListener, watched: Watched, settings: Settings) {
    let settings = Settings { max_connections: MAX_CONNECTIONS, trusted_proxies: Vec::new(), ..settings };
    let incoming = Incoming {
        listener,
        tls: None,
        limits: Limits::new(&settings),
        patience: settings.first_bytes_timeout,
        cut: tokio_util::sync::CancellationToken::new(),
        // Its own connections are nobody's.
        metrics: Arc::default(),
    };
    let routes = Router::new().route("/metrics", get(scrape)).with_state(Arc::new(Mutex::new(watched)));
    let served = transport().add_routes(Routes::from(routes)).serve_with_incoming(incoming.connections()).await;
    if let Err(error) = served {
        tracing::error!(%error, "cannot serve metrics");
    }
}

/// One after the other: whoever asks a hundred times at once asks the database once at a time.
async fn scrape(State(watched): State<Arc<Mutex<Watched>>>) -> Response {
    let Watched { verifier, accounts } = &*watched.lock().await;
    verifier.measure();
    if let Some(app) = accounts {
        app.measure().await;
    }
    ([(CONTENT_TYPE, OPENMETRICS)], verifier.metrics().text()).into_response()
}
