//! Which database, and how patiently it is used.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;

/// How the database is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the data lies.
    pub engine: Engine,
    /// The most connections of this process: to PostgreSQL in all, to SQLite beside its one writer.
    pub max_connections: u32,
    /// How long a statement waits for a connection.
    pub acquire_timeout: Duration,
    /// How long a statement may run, and how long SQLite waits for a lock.
    pub statement_timeout: Duration,
    /// How long one look at what other nodes have revoked may take (**I3**: this and the wait between two looks are how long it
    /// can go unnoticed). A network that swallows packets answers nothing, and nothing in the driver gives up on it.
    pub look_timeout: Duration,
}

/// Where the data lies.
#[derive(Debug, Clone)]
pub enum Engine {
    /// In a file of this process's own.
    Sqlite {
        /// The file; its folder exists.
        path: PathBuf,
    },
    /// In a PostgreSQL server.
    Postgres {
        /// `postgres://user:password@host:port/database?sslmode=verify-full`.
        url: SecretString,
    },
}
