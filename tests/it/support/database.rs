//! A database of a test's own, and a second way into it, past the service.

use std::time::Duration;

use countersign::store::{Engine as StoreEngine, Settings};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

pub enum Database {
    Sqlite { folder: tempfile::TempDir },
    Postgres { server: String, schema: String },
}

/// A transaction that nobody gets past.
pub enum Lock {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Lock {
    pub async fn release(self) {
        self.end("ROLLBACK").await;
    }

    /// Does this before anybody who waits does anything.
    pub async fn commit(self, change: &str) {
        self.end(&format!("{change}; COMMIT")).await;
    }

    async fn end(self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(mut connection) => drop(connection.execute(sqlx::raw_sql(sql)).await.unwrap()),
            Self::Postgres(mut connection) => drop(connection.execute(sqlx::raw_sql(sql)).await.unwrap()),
        }
    }
}

/// What makes a token count, in the order in which it can be deleted.
const BACKED_UP: [&str; 6] = ["signing_keys", "sessions", "codes", "backends", "revocation_feed", "feed_head"];

impl Database {
    /// Remembers the present state, as a backup does.
    pub async fn back_up(&self) {
        for table in BACKED_UP {
            self.execute(&format!("CREATE TABLE {table}_before AS SELECT * FROM {table}")).await;
        }
        self.execute("CREATE TABLE users_before AS SELECT id, epoch FROM users").await;
    }

    /// Goes back to it, at once for whoever looks or writes meanwhile; accounts that are new stay.
    pub async fn set_back(&self) {
        let begin = match self {
            Self::Sqlite { .. } => "BEGIN IMMEDIATE",
            // In the order in which the service takes them.
            Self::Postgres { .. } => {
                "BEGIN; LOCK TABLE users, signing_keys, sessions, codes, backends, feed_head, revocation_feed"
            }
        };
        let mut all = vec![begin.to_owned()];
        for table in BACKED_UP {
            all.push(format!("DELETE FROM {table}"));
            all.push(format!("INSERT INTO {table} SELECT * FROM {table}_before"));
        }
        let epoch = "SELECT epoch FROM users_before b WHERE b.id = users.id";
        all.push(format!("UPDATE users SET epoch = COALESCE(({epoch}), 0)"));
        all.push("COMMIT".to_owned());
        self.execute(&all.join("; ")).await;
    }

    pub async fn create(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite { folder: tempfile::tempdir().unwrap() },
            Engine::Postgres => {
                let server = std::env::var("COUNTERSIGN_TEST_POSTGRES").expect(
                    "COUNTERSIGN_TEST_POSTGRES names a PostgreSQL: run `make test`, or tests/with-postgres cargo test",
                );
                let mut random = [0; 8];
                getrandom::fill(&mut random).unwrap();
                let schema = format!("t{:016x}", u64::from_ne_bytes(random));
                let mut connection = PgConnection::connect(&server).await.unwrap();
                connection.execute(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).await.unwrap();
                Self::Postgres { server, schema }
            }
        }
    }

    /// With PostgreSQL's strictest isolation, under which transactions are given up for each other's sake, if asked for.
    pub fn settings(&self, port: Option<u16>, serializable: bool) -> Settings {
        let isolation = if serializable { "%20-c%20default_transaction_isolation%3Dserializable" } else { "" };
        let engine = match self {
            Self::Sqlite { folder } => StoreEngine::Sqlite { path: folder.path().join("countersign.db") },
            Self::Postgres { .. } => StoreEngine::Postgres { url: (self.url(port) + isolation).into() },
        };
        Settings {
            engine,
            max_connections: 8,
            acquire_timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(30),
            look_timeout: Duration::from_secs(30),
        }
    }

    /// As `database.url` takes it; by way of another port of this machine where one is given.
    pub fn url(&self, port: Option<u16>) -> String {
        match self {
            Self::Sqlite { folder } => format!("sqlite:{}", folder.path().join("countersign.db").display()),
            Self::Postgres { server, schema } => {
                let server = match port {
                    Some(port) => server.replace(&format!(":{}", self.port()), &format!(":{port}")),
                    None => server.clone(),
                };
                format!("{server}?options=-c%20search_path%3D{schema}")
            }
        }
    }

    /// The port of PostgreSQL.
    pub fn port(&self) -> u16 {
        match self {
            Self::Sqlite { .. } => panic!("SQLite has no port"),
            Self::Postgres { server, .. } => {
                let port = server.rsplit_once(':').unwrap().1.split_once('/').unwrap().0;
                port.parse().unwrap()
            }
        }
    }

    /// Runs a statement.
    pub async fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite { .. } => drop(self.sqlite().await.execute(AssertSqlSafe(sql)).await.unwrap()),
            Self::Postgres { .. } => drop(self.postgres().await.execute(AssertSqlSafe(sql)).await.unwrap()),
        }
    }

    /// Adds so many sessions that are like the one that there is, but for their ids.
    pub async fn copy_sessions(&self, copies: u32) {
        const LIKE_IT: &str =
            "user_id, salt, generation, rotated_at, authenticated_at, idle_expires_at, expires_at, user_agent";
        let (id, numbers) = match self {
            Self::Sqlite { .. } => (
                "randomblob(16)",
                format!(
                    "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {copies}) SELECT n FROM n"
                ),
            ),
            Self::Postgres { .. } => ("gen_random_uuid()", format!("SELECT generate_series(1, {copies})")),
        };
        let copy = format!(
            "INSERT INTO sessions (id, {LIKE_IT}) SELECT {id}, {LIKE_IT} FROM sessions, ({numbers}) AS numbers"
        );
        self.execute(&copy).await;
    }

    /// The number that a query finds.
    pub async fn number(&self, sql: &str) -> i64 {
        match self {
            Self::Sqlite { .. } => self.sqlite().await.fetch_one(AssertSqlSafe(sql)).await.unwrap().get(0),
            Self::Postgres { .. } => self.postgres().await.fetch_one(AssertSqlSafe(sql)).await.unwrap().get(0),
        }
    }

    /// The text that a query finds.
    pub async fn text(&self, sql: &str) -> Option<String> {
        match self {
            Self::Sqlite { .. } => self.sqlite().await.fetch_one(AssertSqlSafe(sql)).await.unwrap().get(0),
            Self::Postgres { .. } => self.postgres().await.fetch_one(AssertSqlSafe(sql)).await.unwrap().get(0),
        }
    }

    /// The bytes in the first column of every row that a query finds.
    pub async fn bytes(&self, sql: &str) -> Vec<Vec<u8>> {
        match self {
            Self::Sqlite { .. } => {
                let rows = self.sqlite().await.fetch_all(AssertSqlSafe(sql)).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            Self::Postgres { .. } => {
                let rows = self.postgres().await.fetch_all(AssertSqlSafe(sql)).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    /// Keeps everybody else from writing, and on PostgreSQL from reading too, until it is released.
    pub async fn lock(&self) -> Lock {
        match self {
            Self::Sqlite { .. } => {
                let mut connection = self.sqlite().await;
                connection.execute("BEGIN IMMEDIATE").await.unwrap();
                Lock::Sqlite(connection)
            }
            Self::Postgres { .. } => {
                let mut connection = self.postgres().await;
                connection.execute("BEGIN; LOCK TABLE users, sessions").await.unwrap();
                Lock::Postgres(connection)
            }
        }
    }

    /// Keeps everybody else from writing to the users that there are; on SQLite from writing at all.
    pub async fn hold_users(&self) -> Lock {
        match self {
            Self::Sqlite { .. } => self.lock().await,
            Self::Postgres { .. } => {
                let mut connection = self.postgres().await;
                connection.execute("BEGIN; SELECT id FROM users FOR UPDATE").await.unwrap();
                Lock::Postgres(connection)
            }
        }
    }

    async fn sqlite(&self) -> SqliteConnection {
        let mut connection = SqliteConnection::connect(&self.url(None)).await.unwrap();
        connection.execute("PRAGMA busy_timeout = 30000").await.unwrap();
        connection
    }

    /// A connection to PostgreSQL that the service knows nothing of.
    pub async fn postgres(&self) -> PgConnection {
        PgConnection::connect(&self.url(None)).await.unwrap()
    }
}
