//! The real service on a free port, with a database of its own and a clock that tests turn.

pub mod application;
pub mod browser;
mod clock;
pub mod codes;
pub mod collector;
mod database;
pub mod grpc;
pub mod http;
mod mail;
pub mod metrics;
pub mod process;
pub mod proxy;
mod shared;
pub mod smtp;
pub mod tls;
pub mod wire;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use countersign::{
    app::{App, Error, OnStale, Parts, Policy, Staleness},
    crypto::{HashingSettings, MasterKeys, Passwords},
    domain::{PasswordPolicy, SessionLifetimes},
    entropy::{Entropy, OsEntropy},
    grpc::Origins,
    mail::{Mailer, Templates},
    metrics::Metrics,
    proto::{account_service_client::AccountServiceClient, auth_service_client::AuthServiceClient},
    server::{Server, Settings},
    store::Store,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_client::HealthClient};

pub use clock::FakeClock;
pub use database::{Database, Engine};
pub use mail::{CapturedMail, Moody};
pub use shared::Shared;

pub const PASSWORD: &str = "correct horse battery staple";
pub const PAGE: &str = "https://app.example.com";
pub const CROSS_SITE_PAGE: &str = "https://shop.example";

const MASTER_KEY: &str = "cs_mk_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

/// Writes a test once and runs it on both engines.
macro_rules! on_both_engines {
    ($(async fn $name:ident($engine:ident) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn run($engine: $crate::support::Engine) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run($crate::support::Engine::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                run($crate::support::Engine::Postgres).await;
            }
        }
    )+};
}
pub(crate) use on_both_engines;

/// What a campaign has found, for whoever runs it with --nocapture.
#[expect(clippy::print_stdout, reason = "that is what it is for")]
pub fn say(found: std::fmt::Arguments<'_>) {
    println!("{found}");
}

/// What a test can set before the service starts.
#[derive(Clone)]
pub struct Setup {
    pub server: Settings,
    pub policy: Policy,
    pub hashing: HashingSettings,
    pub master_keys: String,
    /// Reaches the database through another port, which the test can cut.
    pub database_port: Option<u16>,
    /// How long a statement waits for a connection.
    pub acquire_timeout: Duration,
    /// How long a statement waits for what others hold.
    pub statement_timeout: Duration,
    /// How long a look at what other nodes have revoked may take.
    pub look_timeout: Duration,
    /// Has PostgreSQL give up transactions for each other's sake.
    pub serializable: bool,
    /// Sends mail instead of keeping it.
    pub mailer: Option<Arc<dyn Mailer>>,
}

/// The real service.
pub struct TestApp {
    pub address: SocketAddr,
    pub url: String,
    /// Where Prometheus reads, if the test wants it.
    pub metrics: Option<SocketAddr>,
    pub app: App,
    pub store: Store,
    pub passwords: Passwords,
    pub setup: Setup,
    shared: Shared,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

/// The letters that come with the service.
pub fn templates() -> Templates {
    Templates::load(None, "Example", "https://app.example.com".parse().unwrap()).unwrap()
}

impl Default for Setup {
    fn default() -> Self {
        let origins = Origins::new(vec![PAGE.parse().unwrap()], vec![CROSS_SITE_PAGE.parse().unwrap()]);
        Self {
            server: Settings {
                listen: "127.0.0.1:0".parse().unwrap(),
                metrics: None,
                traces: None,
                tls: None,
                trusted_proxies: Vec::new(),
                origins,
                reflection: true,
                max_connections: 1_000,
                max_connections_per_client: 1_000,
                first_bytes_timeout: Duration::from_mins(1),
                request_timeout: Duration::from_mins(1),
                drain_timeout: Duration::from_secs(5),
            },
            policy: Policy {
                issuer: "https://auth.example.com".to_owned(),
                audience: "countersign".to_owned(),
                access_lifetime: Duration::from_mins(5),
                sessions: SessionLifetimes {
                    idle: Duration::from_hours(7 * 24),
                    absolute: Duration::from_hours(30 * 24),
                    grace: Duration::from_secs(10),
                },
                max_sessions_per_user: 50,
                step_up: Duration::from_mins(10),
                deletion_grace: Duration::from_hours(7 * 24),
                passwords: PasswordPolicy { min_code_points: 15 },
                require_verified_email: false,
                rotate_keys_every: Duration::from_hours(90 * 24),
                staleness: Staleness { after: Duration::from_mins(1), then: OnStale::Deny },
            },
            hashing: HashingSettings {
                memory_kib: 32,
                iterations: 1,
                lanes: 1,
                threads: 2,
                queue: 1_000,
                max_wait: Duration::from_mins(1),
            },
            master_keys: MASTER_KEY.to_owned(),
            database_port: None,
            acquire_timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(30),
            look_timeout: Duration::from_secs(30),
            serializable: false,
            mailer: None,
        }
    }
}

impl TestApp {
    pub async fn spawn(engine: Engine) -> Self {
        Self::with(engine, |_| {}).await
    }

    pub async fn with(engine: Engine, change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup::default();
        change(&mut setup);
        Self::start(setup, Shared::new(engine).await).await
    }

    /// Another node beside this one.
    pub async fn another_node(&self) -> Self {
        self.another_node_with(self.setup.clone()).await
    }

    /// The same, set up differently.
    pub async fn another_node_with(&self, setup: Setup) -> Self {
        Self::start(setup, self.shared.clone()).await
    }

    /// Stops and starts again, with nothing left in memory.
    pub async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    pub async fn restart_with(self, change: impl FnOnce(&mut Setup)) -> Self {
        let (mut setup, shared) = (self.setup.clone(), self.shared.clone());
        change(&mut setup);
        self.stop().await;
        // By itself as large as all that a test holds.
        Box::pin(Self::start(setup, shared)).await
    }

    async fn start(setup: Setup, shared: Shared) -> Self {
        let mut reached = shared.database.settings(setup.database_port, setup.serializable);
        reached.acquire_timeout = setup.acquire_timeout;
        reached.statement_timeout = setup.statement_timeout;
        reached.look_timeout = setup.look_timeout;
        let store = Store::connect(&reached).await.unwrap();
        store.migrate().await.unwrap();
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let ticking: Arc<dyn countersign::clock::Clock> = shared.clock.clone();
        let counted = Arc::new(Metrics::default());
        let passwords = Passwords::start(setup.hashing, &entropy, &ticking, Arc::clone(&counted)).unwrap();
        let parts = Parts {
            store: store.clone(),
            passwords: passwords.clone(),
            master_keys: MasterKeys::parse(&setup.master_keys).unwrap(),
            mailer: setup.mailer.clone().unwrap_or_else(|| shared.mail.clone()),
            templates: templates(),
            clock: shared.clock.clone(),
            entropy,
            policy: setup.policy.clone(),
            metrics: counted,
        };
        let app = Box::pin(App::start(parts)).await.unwrap();
        let server = Server::bind(setup.server.clone()).await.unwrap();
        let (address, url, metrics) = (server.local_addr(), server.url(), server.metrics_addr());
        let stop = CancellationToken::new();
        let running = tokio::spawn({
            let (app, stop) = (app.clone(), stop.clone());
            async move { Box::pin(server.run(app, stop)).await.unwrap() }
        });
        shared.add(app.clone());
        Self { address, url, metrics, app, store, passwords, setup, shared, stop, running }
    }

    /// What a service with these master keys would begin with on the same database, before it serves or does any chore.
    pub async fn use_cases(&self, master_keys: &str) -> Result<App, Error> {
        let parts = Parts {
            store: self.store.clone(),
            passwords: self.passwords.clone(),
            master_keys: MasterKeys::parse(master_keys).unwrap(),
            mailer: self.mail.clone(),
            templates: templates(),
            clock: self.clock.clone(),
            entropy: Arc::new(OsEntropy),
            policy: self.setup.policy.clone(),
            metrics: Arc::default(),
        };
        // On the heap: by itself as large as all that a test holds.
        Box::pin(App::start(parts)).await
    }

    /// Stops as SIGTERM would, and waits for the end.
    pub async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
        self.store.close().await.unwrap();
    }

    /// Watches the service's health.
    pub async fn health(&self) -> tonic::Streaming<HealthCheckResponse> {
        let channel = Channel::from_shared(self.url.clone()).unwrap().connect().await.unwrap();
        HealthClient::new(channel).watch(HealthCheckRequest::default()).await.unwrap().into_inner()
    }

    /// Waits until a thread hashes a password.
    pub async fn until_hashing(&self) {
        while self.passwords.is_idle() {
            tokio::task::yield_now().await;
        }
    }

    /// A native gRPC client, over HTTP/2 in the clear.
    pub async fn client(&self) -> AuthServiceClient<Channel> {
        AuthServiceClient::connect(self.url.clone()).await.unwrap()
    }

    /// The same for what people do with their accounts.
    pub async fn account(&self) -> AccountServiceClient<Channel> {
        AccountServiceClient::connect(self.url.clone()).await.unwrap()
    }
}
