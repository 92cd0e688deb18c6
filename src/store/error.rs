//! What can go wrong with a database, told apart by what follows from it.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlxError};

use super::usage::ACQUIRE_TIMEOUTS;

/// The database did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is overloaded, full or closing: worth another try, and nobody's mistake.
    #[error("the database is unavailable")]
    Unavailable(#[source] DbErr),
    /// The transaction was given up for another's sake, more often than it was tried again.
    #[error("the transaction was given up for others")]
    Conflict(#[source] DbErr),
    /// It answered, but not with what was asked for.
    #[error("the database failed")]
    Failed(#[source] DbErr),
    /// A row breaks a rule of ours.
    #[error("a row of {table} is corrupt: {what}")]
    Corrupt {
        /// Where.
        table: &'static str,
        /// Which rule.
        what: &'static str,
    },
    /// The schema is older than this program.
    #[error("the schema is not up to date: run `countersign migrate` (pending: {})", pending.join(", "))]
    Outdated {
        /// What would have to be applied.
        pending: Vec<String>,
    },
    /// SQLite's file cannot be opened.
    #[error("cannot open {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        error: Arc<io::Error>,
    },
    /// The database may forget what it acknowledged.
    #[error("PostgreSQL runs with {setting} = {value}, so that it can lose what it acknowledged; set it to on")]
    NotDurable {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: String,
    },
}

impl StoreError {
    /// What the driver says by itself.
    pub(super) fn from_sqlx(error: SqlxError) -> Self {
        DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))).into()
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        let kind = match &error {
            DbErr::Conn(RuntimeErr::SqlxError(cause))
            | DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause)) => kind(cause),
            DbErr::ConnectionAcquire(cause) => {
                if matches!(cause, ConnAcquireErr::Timeout) {
                    ACQUIRE_TIMEOUTS.fetch_add(1, Ordering::Relaxed);
                }
                Kind::Unavailable
            }
            DbErr::Conn(_) => Kind::Unavailable,
            _ => Kind::Failed,
        };
        match kind {
            Kind::Unavailable => Self::Unavailable(error),
            Kind::Conflict => Self::Conflict(error),
            Kind::Failed => Self::Failed(error),
        }
    }
}

enum Kind {
    Unavailable,
    Conflict,
    Failed,
}

fn kind(error: &SqlxError) -> Kind {
    match error {
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::Protocol(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed
        | SqlxError::BeginFailed => Kind::Unavailable,
        SqlxError::Database(cause) => cause.code().map_or(Kind::Failed, |code| kind_of_code(&code)),
        _ => Kind::Failed,
    }
}

/// By SQLSTATE, or by SQLite's result code, whose low byte is the primary one.
fn kind_of_code(code: &str) -> Kind {
    const SQLITE_BUSY: u32 = 5;
    const SQLITE_LOCKED: u32 = 6;
    const SQLITE_IOERR: u32 = 10;
    const SQLITE_FULL: u32 = 13;
    const SQLITE_CANTOPEN: u32 = 14;
    if code.len() != 5 {
        let primary = code.parse::<u32>().map_or(0, |code| code & 0xff);
        let is_passing = matches!(primary, SQLITE_BUSY | SQLITE_LOCKED | SQLITE_IOERR | SQLITE_FULL | SQLITE_CANTOPEN);
        return if is_passing { Kind::Unavailable } else { Kind::Failed };
    }
    match code {
        "40001" | "40P01" => Kind::Conflict,
        // A statement or lock timeout; a server that was told to stop, or has no connection, memory or disk left; a standby;
        // a transaction that was idle for too long.
        "57014" | "55P03" | "25006" | "25P03" => Kind::Unavailable,
        code if ["08", "53", "57P", "58"].iter().any(|class| code.starts_with(class)) => Kind::Unavailable,
        _ => Kind::Failed,
    }
}
