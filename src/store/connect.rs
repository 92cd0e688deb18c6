//! How each engine is opened: what it must promise, and how long it is waited for.

use std::{fs::OpenOptions, path::Path, sync::Arc, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use secrecy::{ExposeSecret, SecretString};

use super::{Settings, StoreError};

/// A connection that was idle for so long may have died unseen.
const PING_AFTER_IDLE: Duration = Duration::from_secs(30);
/// A transaction of ours that does nothing for so long has lost its owner.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(10);

/// The readers and the one writer of a file, which is made when it is not there.
pub(super) async fn sqlite(
    path: &Path,
    settings: &Settings,
) -> Result<(DatabaseConnection, DatabaseConnection), StoreError> {
    make_private(path)?;
    // First the writer: a reader cannot make the log beside the file.
    let write = sqlite_pool(path, settings, 1, false).await?;
    let read = sqlite_pool(path, settings, settings.max_connections, true).await?;
    Ok((read, write))
}

/// Makes the file, for its owner alone; SQLite gives its log the same mode. One that is there is left as it is.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| StoreError::File { path: path.to_owned(), error: Arc::new(error) })
}

async fn sqlite_pool(
    path: &Path,
    settings: &Settings,
    connections: u32,
    read_only: bool,
) -> Result<DatabaseConnection, StoreError> {
    let mut options = pool("sqlite:", settings, connections);
    // The one writer stays open: without it there would be no WAL for the readers to read.
    options.min_connections(1).idle_timeout(None).max_lifetime(None).test_before_acquire(false);
    let (path, busy_timeout) = (path.to_owned(), settings.statement_timeout);
    options.map_sqlx_sqlite_opts(move |options| {
        let options =
            options.filename(&path).busy_timeout(busy_timeout).foreign_keys(true).pragma("trusted_schema", "OFF");
        if read_only {
            return options.read_only(true);
        }
        options
            .journal_mode(SqliteJournalMode::Wal)
            // What was acknowledged is on the disk: with NORMAL a power cut takes the last commits back.
            .synchronous(SqliteSynchronous::Full)
    });
    Ok(Database::connect(options).await?)
}

/// One pool for everything.
pub(super) async fn postgres(url: &SecretString, settings: &Settings) -> Result<DatabaseConnection, StoreError> {
    let mut options = pool(url.expose_secret(), settings, settings.max_connections);
    let statement_timeout = settings.statement_timeout;
    options.test_before_acquire(false).test_before_acquire_if_idle_for(PING_AFTER_IDLE).map_sqlx_postgres_opts(
        move |options| {
            options.application_name("countersign").options([
                ("statement_timeout", statement_timeout.as_millis().to_string()),
                ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION.as_millis().to_string()),
            ])
        },
    );
    let db = Database::connect(options).await?;
    refuse_forgetful(&db).await?;
    Ok(db)
}

fn pool(url: &str, settings: &Settings, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .acquire_timeout(settings.acquire_timeout)
        .connect_timeout(settings.acquire_timeout)
        // Statements are not logged: their values are personal.
        .sqlx_logging(false);
    options
}

/// A server that acknowledges before it has written forgets revocations in a crash.
async fn refuse_forgetful(db: &DatabaseConnection) -> Result<(), StoreError> {
    let show = Statement::from_string(DbBackend::Postgres, "SELECT current_setting('synchronous_commit') AS value");
    let row = db.query_one_raw(show).await?;
    let value: String = row.map(|row| row.try_get("", "value")).transpose()?.unwrap_or_default();
    if value == "off" { Err(StoreError::NotDurable { setting: "synchronous_commit", value }) } else { Ok(()) }
}
