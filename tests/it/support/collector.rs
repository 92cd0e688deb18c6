//! A collector of spans, as OTLP has it, that takes them, refuses them, or does not answer.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use countersign::proto::otlp::opentelemetry::proto::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value,
    trace::v1::Span,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Takes,
    Refuses,
    Hangs,
}

#[derive(Clone)]
struct Inner {
    mood: Mood,
    taken: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    asked: Arc<AtomicUsize>,
}

/// It listens until it is dropped.
pub struct Collector {
    pub address: SocketAddr,
    inner: Inner,
    serving: JoinHandle<()>,
}

#[tonic::async_trait]
impl TraceService for Inner {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.mood {
            Mood::Takes => {
                self.taken.lock().unwrap().push(request.into_inner());
                Ok(Response::new(ExportTraceServiceResponse::default()))
            }
            Mood::Refuses => Err(Status::resource_exhausted("canary-collector")),
            Mood::Hangs => std::future::pending().await,
        }
    }
}

impl Collector {
    pub async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Inner { mood, taken: Arc::default(), asked: Arc::default() };
        let service = TraceServiceServer::new(inner.clone());
        let serving = tokio::spawn(async move {
            let incoming = TcpListenerStream::new(listener);
            Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
        });
        Self { address, inner, serving }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often it was asked to take something.
    pub fn asked(&self) -> usize {
        self.inner.asked.load(Ordering::SeqCst)
    }

    /// Everything that it was sent.
    pub fn text(&self) -> String {
        format!("{:?}", self.inner.taken.lock().unwrap())
    }

    /// The spans that it has taken so far.
    pub fn spans(&self) -> Vec<Span> {
        let taken = self.inner.taken.lock().unwrap();
        let scopes = taken.iter().flat_map(|request| &request.resource_spans).flat_map(|of| &of.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What a span says, as text.
pub fn attribute(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    Some(match found.value.clone()?.value? {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    })
}

pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}
