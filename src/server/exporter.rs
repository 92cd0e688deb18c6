//! Brings spans to a collector, as OTLP over gRPC. It never holds a call up: what does not fit into the queue, or what the
//! collector does not take in time, is dropped and counted.

use std::{fmt, mem, str::FromStr, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tonic::transport::{Channel, Endpoint};

use super::spans::text;
use crate::{
    metrics::Metrics,
    proto::otlp::opentelemetry::proto::{
        collector::trace::v1::{ExportTraceServiceRequest, trace_service_client::TraceServiceClient},
        common::v1::InstrumentationScope,
        resource::v1::Resource,
        trace::v1::{ResourceSpans, ScopeSpans, Span},
    },
};

/// The most that waits: a megabyte or so.
const QUEUE: usize = 2_048;
/// The most that is sent at once.
const BATCH: usize = 512;
/// How long a batch gathers.
const PACE: Duration = Duration::from_millis(500);
/// How long the collector may take for one.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the service waits at its end for what is left.
const FLUSH: Duration = Duration::from_secs(3);

/// A collector of spans.
#[derive(Clone)]
pub struct Collector(Box<Endpoint>);

/// The text is not a [`Collector`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a URL like http://127.0.0.1:4317, without TLS or a password: run a collector beside the service")]
pub struct InvalidCollector;

impl FromStr for Collector {
    type Err = InvalidCollector;

    fn from_str(url: &str) -> Result<Self, InvalidCollector> {
        let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|_| InvalidCollector)?;
        let (uri, port) = (endpoint.uri(), endpoint.uri().port());
        let is_plain = uri.scheme_str() == Some("http") && port.is_some() && matches!(uri.path(), "" | "/");
        if !is_plain || url.contains(['@', '?', '#']) {
            return Err(InvalidCollector);
        }
        Ok(Self(Box::new(endpoint.connect_timeout(PATIENCE).timeout(PATIENCE))))
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.uri())
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Collector({self})")
    }
}

/// Where spans are left.
#[derive(Clone)]
pub(super) struct Spans {
    queue: mpsc::Sender<Span>,
    metrics: Arc<Metrics>,
}

/// Takes them away.
pub(super) struct Exporter {
    close: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl Spans {
    /// Leaves one.
    pub(super) fn leave(&self, span: Span) {
        if self.queue.try_send(span).is_err() {
            self.metrics.spans.count(["dropped"]);
        }
    }
}

impl Exporter {
    /// Connects when there is something to say.
    pub(super) fn start(collector: &Collector, metrics: Arc<Metrics>) -> (Spans, Self) {
        let (queue, spans) = mpsc::channel(QUEUE);
        let close = CancellationToken::new();
        let client = TraceServiceClient::new(collector.0.connect_lazy());
        let task = tokio::spawn(export(spans, client, Arc::clone(&metrics), close.clone()));
        (Spans { queue, metrics }, Self { close, task: AbortOnDropHandle::new(task) })
    }
}

/// Takes away what is left, in the time that there is.
pub(super) async fn flush(exporter: Option<Exporter>) {
    if let Some(Exporter { close, task }) = exporter {
        close.cancel();
        let _ = timeout(FLUSH, task).await;
    }
}

async fn export(
    mut spans: mpsc::Receiver<Span>,
    mut client: TraceServiceClient<Channel>,
    metrics: Arc<Metrics>,
    close: CancellationToken,
) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut was_well = true;
    loop {
        let count = tokio::select! {
            () = close.cancelled(), if !spans.is_closed() => {
                spans.close();
                continue;
            }
            count = spans.recv_many(&mut batch, BATCH) => count,
        };
        if count == 0 {
            return;
        }
        let sent = send(&mut client, mem::take(&mut batch)).await;
        let (count, dropped) = (count as u64, *sent.as_ref().unwrap_or(&(count as u64)));
        metrics.spans.add(["exported"], count - dropped);
        metrics.spans.add(["dropped"], dropped);
        match (&sent, was_well) {
            (Err(why), true) => tracing::warn!(why, "the collector takes no spans; they are dropped"),
            (Ok(_), false) => tracing::info!("the collector takes spans again"),
            (Err(_), false) | (Ok(_), true) => {}
        }
        was_well = sent.is_ok();
        if count < BATCH as u64 {
            tokio::select! { () = close.cancelled() => {}, () = sleep_until(Instant::now() + PACE) => {} }
        }
    }
}

/// How many of these the collector did not take.
async fn send(client: &mut TraceServiceClient<Channel>, spans: Vec<Span>) -> Result<u64, &'static str> {
    let all = spans.len() as u64;
    let scope = InstrumentationScope { name: "countersign".to_owned(), ..InstrumentationScope::default() };
    let attributes = vec![text("service.name", "countersign"), text("service.version", env!("CARGO_PKG_VERSION"))];
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    };
    // By its code alone: what it says is a stranger's text.
    match timeout(PATIENCE, client.export(request)).await {
        Ok(Ok(answer)) => {
            let rejected = answer.into_inner().partial_success.map_or(0, |partial| partial.rejected_spans);
            Ok(u64::try_from(rejected).unwrap_or(0).min(all))
        }
        Ok(Err(status)) => Err(status.code().description()),
        Err(_) => Err("no answer in time"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_reached_in_the_clear_and_nothing_secret_is_in_its_url() {
        for good in ["http://127.0.0.1:4317", "http://collector:4317/", "http://[::1]:4317"] {
            assert!(good.parse::<Collector>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "collector:4317",
            "https://collector:4317",
            "http://collector",
            "http://user:password@collector:4317",
            "http://collector:4317/v1/traces",
            "http://collector:4317?key=x",
        ] {
            assert!(bad.parse::<Collector>().is_err(), "{bad}");
        }
    }
}
