//! What the nodes of one test have in common, as nodes beside each other do: a database, the time, and who takes their mail.

use std::{
    ops::Deref,
    sync::{Arc, Mutex},
};

use countersign::app::App;
use tokio_util::sync::CancellationToken;

use super::{CapturedMail, Database, Engine, FakeClock, TestApp};

#[derive(Clone)]
pub struct Shared {
    pub database: Arc<Database>,
    pub clock: Arc<FakeClock>,
    pub mail: Arc<CapturedMail>,
    nodes: Arc<Mutex<Vec<App>>>,
}

impl Shared {
    pub(super) async fn new(engine: Engine) -> Self {
        let database = Arc::new(Database::create(engine).await);
        Self { database, clock: Arc::default(), mail: Arc::default(), nodes: Arc::default() }
    }

    pub(super) fn add(&self, node: App) {
        self.nodes.lock().unwrap().push(node);
    }
}

impl Deref for TestApp {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl TestApp {
    /// Tries every letter that is due, and waits for those that other nodes have begun with.
    pub async fn deliver(&self) {
        self.app.deliver_mail(&CancellationToken::new()).await.unwrap();
        let begins_with_none = CancellationToken::new();
        begins_with_none.cancel();
        let nodes = self.nodes.lock().unwrap().clone();
        for node in nodes {
            node.deliver_mail(&begins_with_none).await.unwrap();
        }
    }

    /// Every letter that has left so far, as `address: subject`, those that were due now included.
    pub async fn letters(&self) -> Vec<String> {
        self.deliver().await;
        self.mail.sent()
    }
}
