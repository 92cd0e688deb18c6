//! Ring 1: the database. The only module that names `sea_orm`; its methods speak the domain, and each is one transaction.

mod audit;
mod backends;
mod code_uses;
mod codes;
mod connect;
mod credentials;
mod deletion;
mod devices;
mod entity;
mod error;
mod export;
mod feed;
mod feed_reader;
mod given_up;
mod hints;
mod lease;
mod letter_limits;
mod outbox;
mod own_sessions;
mod patience;
mod prepared;
mod profiles;
mod renewal;
mod restored;
mod schema;
mod sessions;
mod settings;
mod sign_in;
mod sign_in_at_once;
mod signing_keys;
mod spare;
mod takers;
mod usage;
mod users;

use std::{fmt, sync::Arc, time::Duration};

use sea_orm::ConnectionTrait;

pub use codes::Guessed;
pub use credentials::{EmailChangeLetters, EmailChangeRequest, PasswordChange};
pub use error::StoreError;
pub use export::{Belongings, PastEvent};
pub use hints::Hints;
pub use outbox::{Leased, LetterState};
pub use profiles::ProfileUpdate;
pub use renewal::Renewal;
pub use settings::{Engine, Settings};
pub use sign_in::{Opened, Opening};
pub use signing_keys::KeyRevocation;
pub use usage::{Backlog, Usage};
pub use users::{Added, SignUpLetters};

use feed_reader::FeedConnection;
use given_up::GivenUp;
use patience::{Connection, Transaction};
use secrecy::SecretString;

/// How often a transaction that PostgreSQL gave up for another's sake is tried.
const MAX_TRIES: usize = 8;

/// A handle to the database; cheap to clone.
#[derive(Clone)]
pub struct Store {
    /// Any number of readers.
    read: Connection,
    /// SQLite has one writer: it queues here, where waiting is fair, instead of in the engine, where it is not.
    write: Connection,
    /// The reader of the feed.
    feed: Arc<FeedConnection>,
    /// Where hints are listened for.
    listen_url: Option<SecretString>,
    /// How long a statement may run.
    patience: Duration,
    /// How long a look at the feed may take.
    look_timeout: Duration,
}

impl Store {
    /// Connects. The schema is left as it is.
    ///
    /// # Errors
    /// When the database cannot be reached, or is not set up to keep what it acknowledges.
    pub async fn connect(settings: &Settings) -> Result<Self, StoreError> {
        let (patience, look_timeout) = (settings.statement_timeout, settings.look_timeout);
        match &settings.engine {
            Engine::Sqlite { path } => {
                let (read, write) = connect::sqlite(path, settings).await?;
                let feed = Arc::new(FeedConnection::shared(read.clone()));
                let (read, write) = (Connection::to_file(read), Connection::to_write_to_file(write));
                Ok(Self { read, write, feed, listen_url: None, patience, look_timeout })
            }
            Engine::Postgres { url } => {
                let given_up = GivenUp::default();
                let pool = connect::postgres(url, settings, given_up.clone()).await?;
                let pool = Connection::to_server(pool, patience + patience::MARGIN, given_up);
                let feed = Arc::new(FeedConnection::to(connect::one_postgres(url, settings)));
                Ok(Self {
                    read: pool.clone(),
                    write: pool,
                    feed,
                    listen_url: Some(url.clone()),
                    patience,
                    look_timeout,
                })
            }
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read.ping().await?;
        Ok(self.write.ping().await?)
    }

    /// Closes every connection.
    ///
    /// # Errors
    /// When closing fails.
    pub async fn close(&self) -> Result<(), StoreError> {
        // On SQLite the feed is read by a connection of the same pool, which waits for all of its own.
        self.read.let_spare_go();
        self.feed.close().await?;
        self.read.close().await?;
        Ok(self.write.close().await?)
    }

    async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(self.write.begin().await?)
    }
}

/// Runs a whole transaction again when PostgreSQL gave it up for another's sake (40001, 40P01).
async fn retrying<T, F>(mut transaction: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    for _ in 1..MAX_TRIES {
        match transaction().await {
            Err(StoreError::Conflict(_)) => {}
            done => return done,
        }
    }
    transaction().await
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("engine", &self.write.get_database_backend()).finish_non_exhaustive()
    }
}
