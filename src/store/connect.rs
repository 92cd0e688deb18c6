//! How each engine is opened: what it must promise, and how long it is waited for.

use std::{fs::OpenOptions, path::Path, sync::Arc, time::Duration};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr, SqlxError,
    sqlx::{
        Connection as _, PgConnection, query_scalar,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Settings, StoreError, given_up::GivenUp};

/// A connection that was idle for so long may have died unseen.
const PING_AFTER_IDLE: Duration = Duration::from_secs(30);
/// One that was given up half way has so long to show that it lives, before it is thrown away.
const LAST_CHANCE: Duration = Duration::from_secs(1);
/// A transaction of ours that does nothing for so long has lost its owner.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(10);
/// How soon to try again to open a file that another process is just opening.
const TRY_AGAIN: Duration = Duration::from_millis(10);

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
    open(&options, settings.acquire_timeout).await
}

/// Opens a file, perhaps at the same moment as another process: while that one turns it into a WAL database SQLite answers
/// "locked" at once, and does not wait as it does for everything else.
async fn open(options: &ConnectOptions, patience: Duration) -> Result<DatabaseConnection, StoreError> {
    let deadline = Instant::now() + patience;
    loop {
        match Database::connect(options.clone()).await {
            Err(error) if is_locked(&error) && Instant::now() < deadline => {
                sleep_until(Instant::now() + TRY_AGAIN).await;
            }
            opened => return Ok(opened?),
        }
    }
}

/// The low byte of what SQLite says is `SQLITE_BUSY`.
fn is_locked(error: &DbErr) -> bool {
    let DbErr::Conn(RuntimeErr::SqlxError(cause)) = error else { return false };
    let code = cause.as_database_error().and_then(|cause| cause.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

/// One pool for everything, of those who say what they have given up.
pub(super) async fn postgres(
    url: &SecretString,
    settings: &Settings,
    given_up: GivenUp,
) -> Result<DatabaseConnection, StoreError> {
    probe(url, settings.acquire_timeout).await?;
    let mut options = postgres_options(url, settings, settings.max_connections);
    options.map_sqlx_postgres_pool_opts(move |options| {
        let given_up = given_up.clone();
        options.after_release(move |connection, _| {
            let is_doubtful = given_up.is_recent();
            Box::pin(async move { if is_doubtful { shows_that_it_lives(connection).await } else { Ok(true) } })
        })
    });
    Ok(Database::connect(options).await?)
}

/// One connection beside that pool.
pub(super) fn one_postgres(url: &SecretString, settings: &Settings) -> ConnectOptions {
    let mut options = postgres_options(url, settings, 1);
    options.map_sqlx_postgres_pool_opts(|options| {
        options.after_release(|connection, _| Box::pin(shows_that_it_lives(connection)))
    });
    options
}

/// The pool asks whoever comes back whether it lives, for as long as that takes, and counts it meanwhile: one that was given up
/// has to answer in time before.
async fn shows_that_it_lives(connection: &mut PgConnection) -> Result<bool, SqlxError> {
    timeout(LAST_CHANCE, connection.ping()).await.unwrap_or(Err(SqlxError::PoolTimedOut))?;
    Ok(true)
}

fn postgres_options(url: &SecretString, settings: &Settings, connections: u32) -> ConnectOptions {
    let mut options = pool(url.expose_secret(), settings, connections);
    let statement_timeout = settings.statement_timeout;
    options.test_before_acquire(false).test_before_acquire_if_idle_for(PING_AFTER_IDLE).map_sqlx_postgres_opts(
        move |options| {
            options.application_name("countersign").options([
                ("statement_timeout", statement_timeout.as_millis().to_string()),
                ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION.as_millis().to_string()),
            ])
        },
    );
    options
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

/// One connection by itself, which says what is wrong where a pool would say only that it waited; and a look whether the
/// server acknowledges before it has written, since it would forget revocations in a crash.
async fn probe(url: &SecretString, patience: Duration) -> Result<(), StoreError> {
    let look = async {
        let mut connection = PgConnection::connect(url.expose_secret()).await?;
        let show = query_scalar("SELECT current_setting('synchronous_commit')");
        let value: String = show.fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(value)
    };
    let value = timeout(patience, look).await.unwrap_or(Err(SqlxError::PoolTimedOut)).map_err(StoreError::from_sqlx)?;
    if value == "off" { Err(StoreError::NotDurable { setting: "synchronous_commit", value }) } else { Ok(()) }
}
