//! Refresh beside the statements that it cannot do without, on both databases.

use std::{str::FromStr as _, time::Instant};

use countersign::proto::{RefreshRequest, auth_service_client::AuthServiceClient};
use sqlx::{
    Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};
use tonic::transport::Channel;
use uuid::Uuid;

use super::{
    fixture::{login, sign_up},
    load::Outcome,
    process::{Running, cpu_of},
    table,
};

const CALLS: usize = 3_000;
const TURNS: usize = 3;

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
        Some(server) => of_its_own(server).await,
        None => format!("sqlite:{}", folder.path().join("countersign.db").display()),
    };
    let service = Running::service(folder.path(), &[("DATABASE__URL", url.clone())]);
    let channel = Channel::from_shared(service.url()).unwrap().connect().await.unwrap();
    sign_up(channel.clone(), "ada@example.com").await;
    let mut client = AuthServiceClient::new(channel.clone());
    let (mut alone, mut served) = (Outcome::default(), Outcome::default());
    // One after the other, as a person does it: a session is refreshed by one call at a time.
    for _ in 0..TURNS {
        let signed_in = login(channel.clone(), "ada@example.com").await;
        let mut token = signed_in.tokens.unwrap().refresh_token;
        let (cpu, started) = (service.cpu(), Instant::now());
        let mut latencies = Vec::new();
        for _ in 0..CALLS {
            let called = Instant::now();
            let request = RefreshRequest { refresh_token: token, ..Default::default() };
            let answer = client.refresh(request).await.unwrap().into_inner();
            latencies.push(called.elapsed());
            token = answer.signed_in.unwrap().tokens.unwrap().refresh_token;
        }
        served.add(Outcome { latencies, cpu: service.cpu() - cpu, wall: started.elapsed() });

        // From here on the token is worth nothing: the session has moved on without it.
        let mut raw = Raw::open(&url, signed_in.session.unwrap().id.parse().unwrap()).await;
        let (cpu, started) = (cpu_of("self"), Instant::now());
        let mut latencies = Vec::new();
        for _ in 0..CALLS {
            let called = Instant::now();
            raw.refresh().await;
            latencies.push(called.elapsed());
        }
        alone.add(Outcome { latencies, cpu: cpu_of("self") - cpu, wall: started.elapsed() });
    }
    (alone, served)
}

/// The one session, past the service, with the service's own durability.
enum Raw {
    Sqlite(SqliteConnection, Uuid, i64),
    Postgres(PgConnection, Uuid, i64),
}

impl Raw {
    async fn open(url: &str, id: Uuid) -> Self {
        const GENERATION: &str = "SELECT generation FROM sessions WHERE id = $1";
        if url.starts_with("sqlite") {
            let options = SqliteConnectOptions::from_str(url).unwrap().synchronous(SqliteSynchronous::Full);
            let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
            let row = sqlx::query(GENERATION).bind(id).fetch_one(&mut connection).await.unwrap();
            Self::Sqlite(connection, id, row.get(0))
        } else {
            let mut connection = PgConnection::connect(url).await.unwrap();
            let row = sqlx::query(GENERATION).bind(id).fetch_one(&mut connection).await.unwrap();
            Self::Postgres(connection, id, row.get(0))
        }
    }

    /// Reads the session, and moves it on.
    async fn refresh(&mut self) {
        let now = 1_800_000_000_000_i64;
        let moved = match self {
            Self::Sqlite(connection, id, generation) => {
                sqlx::query(READ).bind(*id).fetch_one(&mut *connection).await.unwrap();
                let write = sqlx::query(WRITE).bind(*generation + 1).bind(now).bind(now).bind(*id).bind(*generation);
                *generation += 1;
                write.execute(connection).await.unwrap().rows_affected()
            }
            Self::Postgres(connection, id, generation) => {
                sqlx::query(READ).bind(*id).fetch_one(&mut *connection).await.unwrap();
                let write = sqlx::query(WRITE).bind(*generation + 1).bind(now).bind(now).bind(*id).bind(*generation);
                *generation += 1;
                write.execute(connection).await.unwrap().rows_affected()
            }
        };
        assert_eq!(moved, 1);
    }
}

async fn of_its_own(server: String) -> String {
    let mut connection = PgConnection::connect(&server).await.unwrap();
    connection.execute("DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench").await.unwrap();
    format!("{server}?options=-c%20search_path%3Dbench")
}
