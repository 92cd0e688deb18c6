//! A server that publishes keys as a test tells it to, and counts who asks.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse as _, Response},
};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

use super::in_time;

pub struct KeyServer {
    pub url: String,
    shared: Arc<Shared>,
    running: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<Published>,
    asked: Notify,
    /// Who asks waits for this, where the server holds its answers back.
    answers: Notify,
}

#[derive(Default)]
struct Published {
    body: String,
    status: StatusCode,
    holds: bool,
    /// What was answered, status by status.
    seen: VecDeque<u16>,
    count: usize,
}

impl KeyServer {
    pub async fn start(body: String) -> Self {
        let shared = Arc::new(Shared::default());
        shared.state.lock().unwrap().body = body;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let running = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared, running }
    }

    pub fn publish(&self, body: String) {
        self.shared.state.lock().unwrap().body = body;
    }

    /// Answers this status from now on.
    pub fn answer(&self, status: StatusCode) {
        self.shared.state.lock().unwrap().status = status;
    }

    /// Lets those who ask wait from now on.
    pub fn hold(&self) {
        self.shared.state.lock().unwrap().holds = true;
    }

    /// Answers those who wait, and whoever comes.
    pub fn release(&self) {
        self.shared.state.lock().unwrap().holds = false;
        self.shared.answers.notify_waiters();
    }

    /// How often it was asked.
    pub fn count(&self) -> usize {
        self.shared.state.lock().unwrap().count
    }

    /// Waits until it was asked so often.
    pub async fn asked(&self, count: usize) {
        in_time(async {
            loop {
                let asked = self.shared.asked.notified();
                if self.count() >= count {
                    break;
                }
                asked.await;
            }
        })
        .await;
        assert_eq!(self.count(), count);
    }

    /// The statuses that were answered since this was last looked at.
    pub fn answered(&self) -> Vec<u16> {
        self.shared.state.lock().unwrap().seen.drain(..).collect()
    }

    /// Goes away: nothing listens there any more.
    pub async fn stop(self) {
        self.running.abort();
        let _ = self.running.await;
    }
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let released = shared.answers.notified();
    tokio::pin!(released);
    released.as_mut().enable();
    let holds = {
        let mut state = shared.state.lock().unwrap();
        state.count += 1;
        state.holds
    };
    shared.asked.notify_waiters();
    if holds {
        released.await;
    }
    let mut state = shared.state.lock().unwrap();
    let etag = format!("\"{:x}\"", state.body.len() + state.body.bytes().map(usize::from).sum::<usize>());
    let is_known = headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let status = if is_known && state.status == StatusCode::OK { StatusCode::NOT_MODIFIED } else { state.status };
    state.seen.push_back(status.as_u16());
    (status, [(ETAG, etag)], state.body.clone()).into_response()
}
