//! An application behind a gateway, which only says what reached it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, extract::State, http::HeaderMap};
use tokio::{net::TcpListener, task::JoinHandle};

/// It listens until it is dropped.
pub struct Application {
    pub address: SocketAddr,
    calls: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

/// What reached it, several headers of one name as one.
pub type Seen = BTreeMap<String, String>;

impl Application {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, calls) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&calls));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, calls, serving }
    }

    /// How often it was called.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

async fn answer(State(calls): State<Arc<AtomicUsize>>, headers: HeaderMap, body: String) -> String {
    calls.fetch_add(1, Ordering::SeqCst);
    let mut seen = Seen::from([("(body)".to_owned(), body)]);
    for (name, value) in &headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let all = seen.entry(name.to_string()).or_default();
        *all = if all.is_empty() { value.into_owned() } else { format!("{all}, {value}") };
    }
    serde_json::to_string(&seen).unwrap()
}

impl Drop for Application {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
