//! Refresh beside the statements that it cannot do without, on both databases.

use std::{str::FromStr as _, time::Duration};

use countersign::proto::{RefreshRequest, auth_service_client::AuthServiceClient};
use sqlx::{
    Connection as _, Executor as _, PgConnection, PgPool, Row as _, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
};
use tonic::transport::Channel;
use uuid::Uuid;

use super::{
    fixture::{login, sign_up},
    load::{Outcome, all, timed},
    process::{Running, cpu_of},
    table,
};

/// So many devices at once,
const DEVICES: usize = 16;
/// each so often in each of so many turns; the first turn warms up and does not count.
const CALLS: usize = 250;
const TURNS: usize = 5;
/// As many connections as the service has by default.
const CONNECTIONS: u32 = 10;

/// What Refresh has to read, and to write.
const READ: &str = "SELECT s.user_id, s.generation, s.salt, s.rotated_at, s.idle_expires_at, s.expires_at, s.ended_at, \
                    u.email, u.email_verified_at, u.display_name, u.roles, u.epoch, u.disabled_at \
                    FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1";
const WRITE: &str = "UPDATE sessions SET generation = $1, rotated_at = $2, idle_expires_at = $3 \
                     WHERE id = $4 AND generation = $5 AND ended_at IS NULL";

/// Measures, and prints. PostgreSQL is left out where there is none.
pub async fn measure() {
    let mut rows = vec![("SQLite", of(None).await)];
    if let Ok(server) = std::env::var("COUNTERSIGN_TEST_POSTGRES") {
        rows.push(("PostgreSQL", of(Some(server)).await));
    }
    table::calls_head();
    for (name, (raw, service)) in &rows {
        table::calls(&format!("Refresh's statements alone, {name}"), raw);
        table::calls(&format!("Refresh, {name}"), service);
    }
    table::limits_head();
    for (name, (raw, service)) in &rows {
        let ratio = service.cpu_per_call() / raw.cpu_per_call();
        table::limit(&format!("Refresh / its statements alone, {name}"), ratio, 2.0, "");
    }
}

/// The statements alone, and the service.
async fn of(postgres: Option<String>) -> (Outcome, Outcome) {
    let folder = tempfile::tempdir().unwrap();
    let url = match postgres {
        Some(server) => a_schema_of_its_own(server).await,
        None => format!("sqlite:{}", folder.path().join("countersign.db").display()),
    };
    let service = Running::service(folder.path(), &[("DATABASE__URL", url.clone())]);
    let channel = Channel::from_shared(service.url()).unwrap().connect().await.unwrap();
    sign_up(channel.clone(), "ada@example.com").await;
    let raw = Raw::open(&url).await;
    let (mut alone, mut served) = (Outcome::default(), Outcome::default());
    for turn in 0..TURNS {
        let (mut tokens, mut sessions) = (Vec::new(), Vec::new());
        for _ in 0..DEVICES {
            let signed_in = login(channel.clone(), "ada@example.com").await;
            tokens.push(signed_in.tokens.unwrap().refresh_token);
            sessions.push(signed_in.session.unwrap().id.parse().unwrap());
        }
        let served_now = all(|| service.cpu(), tokens.into_iter().map(|token| refreshes(channel.clone(), token))).await;
        // From here on the tokens are worth nothing: the sessions have moved on without them.
        let alone_now = all(|| cpu_of("self"), sessions.into_iter().map(|id| raw.clone().refreshes(id))).await;
        if turn > 0 {
            served.add(served_now);
            alone.add(alone_now);
        }
    }
    (alone, served)
}

/// One after the other, as a device does it.
async fn refreshes(channel: Channel, mut token: String) -> Vec<Duration> {
    let mut client = AuthServiceClient::new(channel);
    let mut latencies = Vec::new();
    for _ in 0..CALLS {
        let call = async {
            let request = RefreshRequest { refresh_token: std::mem::take(&mut token), ..Default::default() };
            let answer = client.refresh(request).await.unwrap().into_inner();
            token = answer.signed_in.unwrap().tokens.unwrap().refresh_token;
        };
        latencies.push(timed(call).await);
    }
    latencies
}

/// The database, past the service: as many connections, with the same durability.
#[derive(Clone)]
enum Raw {
    /// One writes.
    Sqlite {
        read: SqlitePool,
        write: SqlitePool,
    },
    Postgres(PgPool),
}

impl Raw {
    async fn open(url: &str) -> Self {
        if url.starts_with("sqlite") {
            let options = SqliteConnectOptions::from_str(url).unwrap().synchronous(SqliteSynchronous::Full);
            let pool = |most| SqlitePoolOptions::new().max_connections(most).connect_with(options.clone());
            Self::Sqlite { read: pool(CONNECTIONS).await.unwrap(), write: pool(1).await.unwrap() }
        } else {
            Self::Postgres(PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await.unwrap())
        }
    }

    /// Reads the session, and moves it on, over and over.
    async fn refreshes(self, id: Uuid) -> Vec<Duration> {
        const GENERATION: &str = "SELECT generation FROM sessions WHERE id = $1";
        let first: i64 = match &self {
            Self::Sqlite { read, .. } => sqlx::query_scalar(GENERATION).bind(id).fetch_one(read).await.unwrap(),
            Self::Postgres(pool) => sqlx::query_scalar(GENERATION).bind(id).fetch_one(pool).await.unwrap(),
        };
        let mut latencies = Vec::new();
        for generation in first..first + i64::try_from(CALLS).unwrap() {
            latencies.push(timed(self.refresh(id, generation)).await);
        }
        latencies
    }

    async fn refresh(&self, id: Uuid, generation: i64) {
        let now = 1_800_000_000_000_i64;
        let moved = match self {
            Self::Sqlite { read, write } => {
                let row = sqlx::query(READ).bind(id).fetch_one(read).await.unwrap();
                assert_eq!(row.get::<i64, _>("generation"), generation);
                let moved = sqlx::query(WRITE).bind(generation + 1).bind(now).bind(now).bind(id).bind(generation);
                moved.execute(write).await.unwrap().rows_affected()
            }
            Self::Postgres(pool) => {
                let row = sqlx::query(READ).bind(id).fetch_one(pool).await.unwrap();
                assert_eq!(row.get::<i64, _>("generation"), generation);
                let moved = sqlx::query(WRITE).bind(generation + 1).bind(now).bind(now).bind(id).bind(generation);
                moved.execute(pool).await.unwrap().rows_affected()
            }
        };
        assert_eq!(moved, 1);
    }
}

/// A place of its own in the server, and empty.
pub async fn a_schema_of_its_own(server: String) -> String {
    let mut connection = PgConnection::connect(&server).await.unwrap();
    connection.execute("DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench").await.unwrap();
    format!("{server}?options=-c%20search_path%3Dbench")
}
