//! Connections that nobody waits for without end. The driver gives up on nothing: where a network swallows what is sent, or the
//! server stands still, neither an answer comes nor an error, and the server's own timeout of a statement does not either.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    prelude::async_trait::async_trait,
};
use tokio::time::timeout;

use super::lease::Leased;

/// How much later than the server we give up on a statement: what it has to say is better than that it says nothing.
pub(super) const MARGIN: Duration = Duration::from_secs(1);

/// How long one statement is waited for, in which waiting for a connection is included.
#[derive(Debug, Clone, Copy)]
struct Patience(Option<Duration>);

impl Patience {
    async fn bound<T>(self, work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        match self.0 {
            Some(most) => timeout(most, work).await.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))),
            None => work.await,
        }
    }
}

/// How many have a connection of a pool, or wait for one.
#[derive(Clone, Default)]
struct Takers(Arc<AtomicU32>);

/// One of them, until it is dropped.
struct Taker(Takers);

impl Takers {
    fn one_more(&self) -> Taker {
        self.0.fetch_add(1, Ordering::Relaxed);
        Taker(self.clone())
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A pool of connections.
#[derive(Clone)]
pub(super) struct Connection {
    inner: DatabaseConnection,
    patience: Patience,
    takers: Takers,
}

/// A transaction; one that is given up is rolled back.
pub(super) struct Transaction {
    inner: DatabaseTransaction,
    patience: Patience,
    _taker: Taker,
}

/// A connection for more than one statement. Whoever has one must not wait for another: all of a pool's could be had by those
/// who do.
pub(super) struct Lease {
    inner: Leased,
    patience: Patience,
    _taker: Taker,
}

impl Connection {
    /// To a server, which is waited for so long.
    pub(super) fn to_server(inner: DatabaseConnection, most: Duration) -> Self {
        Self { inner, patience: Patience(Some(most)), takers: Takers::default() }
    }

    /// To a file, which always answers.
    pub(super) fn to_file(inner: DatabaseConnection) -> Self {
        Self { inner, patience: Patience(None), takers: Takers::default() }
    }

    /// For those who are patient by themselves, or have to be without end.
    pub(super) fn inner(&self) -> &DatabaseConnection {
        &self.inner
    }

    /// How many have a connection, or wait for one.
    pub(super) fn takers(&self) -> u32 {
        self.takers.0.load(Ordering::Relaxed)
    }

    /// Takes a connection, for as long as what is returned is kept.
    fn take(&self) -> Taker {
        self.takers.one_more()
    }

    /// Begins a transaction that writes. On SQLite it takes the lock at once: one that reads first and writes later would be
    /// refused half way.
    pub(super) async fn begin(&self) -> Result<Transaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let taker = self.take();
        let inner = self.patience.bound(self.inner.begin_with_options(options)).await?;
        Ok(Transaction { inner, patience: self.patience, _taker: taker })
    }

    /// One connection for more than one statement.
    pub(super) async fn lease(&self) -> Result<Lease, DbErr> {
        let taker = self.take();
        let inner = self.patience.bound(Leased::take(&self.inner)).await?;
        Ok(Lease { inner, patience: self.patience, _taker: taker })
    }

    pub(super) async fn ping(&self) -> Result<(), DbErr> {
        self.patience.bound(self.inner.ping()).await
    }

    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.patience.bound(self.inner.clone().close()).await
    }
}

impl Transaction {
    /// It has its connection.
    #[expect(clippy::unused_self, reason = "as a pool has it")]
    fn take(&self) {}

    /// For statements that may take longer than any call may.
    pub(super) async fn without_bound(mut self) -> Result<Self, DbErr> {
        if self.get_database_backend() == DbBackend::Postgres {
            self.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
        }
        self.patience = Patience(None);
        Ok(self)
    }

    /// For the migrator, which knows no other.
    pub(super) fn inner(&self) -> &DatabaseTransaction {
        &self.inner
    }

    pub(super) async fn commit(self) -> Result<(), DbErr> {
        self.patience.bound(self.inner.commit()).await
    }

    pub(super) async fn rollback(self) -> Result<(), DbErr> {
        self.patience.bound(self.inner.rollback()).await
    }
}

impl Lease {
    pub(super) async fn query_one(&mut self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.patience.bound(self.inner.query_one(statement)).await
    }

    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64, DbErr> {
        self.patience.bound(self.inner.execute(statement)).await
    }
}

macro_rules! patiently {
    ($name:ident) => {
        #[async_trait]
        impl ConnectionTrait for $name {
            fn get_database_backend(&self) -> DbBackend {
                self.inner.get_database_backend()
            }

            async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
                let _taker = self.take();
                self.patience.bound(self.inner.execute_raw(statement)).await
            }

            async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
                let _taker = self.take();
                self.patience.bound(self.inner.execute_unprepared(sql)).await
            }

            async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
                let _taker = self.take();
                self.patience.bound(self.inner.query_one_raw(statement)).await
            }

            async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
                let _taker = self.take();
                self.patience.bound(self.inner.query_all_raw(statement)).await
            }
        }
    };
}

patiently!(Connection);
patiently!(Transaction);
