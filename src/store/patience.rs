//! Connections that nobody waits for without end. The driver gives up on nothing: where a network swallows what is sent, or the
//! server stands still, neither an answer comes nor an error, and the server's own timeout of a statement does not either.

use std::{pin::pin, time::Duration};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    prelude::async_trait::async_trait,
};
use tokio::time::timeout;

use super::{
    given_up::{GivenUp, Work},
    lease::{Lease, Leased},
    spare::{Away, Spare},
    takers::{Taker, Takers},
};

/// How much later than the server we give up on a statement: what it has to say is better than that it says nothing.
pub(super) const MARGIN: Duration = Duration::from_secs(1);

/// How long one statement is waited for, in which waiting for a connection is included.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    most: Option<Duration>,
    given_up: GivenUp,
}

impl Patience {
    pub(super) async fn bound<T>(&self, work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        let Some(most) = self.most else { return work.await };
        let mut work = pin!(work);
        // After it, to be dropped before it: it has to be noted by the time that the connection comes back.
        let noted = self.given_up.work();
        let done = timeout(most, work.as_mut()).await;
        if done.is_ok() {
            noted.finish();
        }
        done.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)))
    }
}

/// A pool of connections.
#[derive(Clone)]
pub(super) struct Connection {
    inner: DatabaseConnection,
    patience: Patience,
    takers: Takers,
    spare: Spare,
}

/// A transaction; one that is given up is rolled back.
pub(super) struct Transaction {
    /// Before the transaction, to be dropped before it.
    work: Work,
    inner: DatabaseTransaction,
    patience: Patience,
    _taker: Taker,
}

impl Connection {
    /// To a server, which is waited for so long. Its pool knows what was given up.
    pub(super) fn to_server(inner: DatabaseConnection, most: Duration, given_up: GivenUp) -> Self {
        let pool = inner.get_postgres_connection_pool().options().get_max_connections();
        Self::new(inner, Patience { most: Some(most), given_up }, (pool, pool / 2))
    }

    /// To read a file, which always answers. Half of its pool is for those who do not say here that they take from it.
    pub(super) fn to_file(inner: DatabaseConnection) -> Self {
        let pool = inner.get_sqlite_connection_pool().options().get_max_connections();
        Self::new(inner, Patience { most: None, given_up: GivenUp::default() }, (pool, pool / 2))
    }

    /// To write to it: one connection, and everybody says that they take it.
    pub(super) fn to_write_to_file(inner: DatabaseConnection) -> Self {
        Self::new(inner, Patience { most: None, given_up: GivenUp::default() }, (1, 1))
    }

    fn new(inner: DatabaseConnection, patience: Patience, (pool, spare): (u32, u32)) -> Self {
        let takers = Takers::default();
        Self { inner, patience, spare: Spare::of(pool, spare, takers.clone()), takers }
    }

    /// For those who are patient by themselves, or have to be without end.
    pub(super) fn inner(&self) -> &DatabaseConnection {
        &self.inner
    }

    /// How many have a connection, or wait for one.
    pub(super) fn takers(&self) -> u32 {
        self.takers.count()
    }

    /// Keeps none beside the pool any more.
    pub(super) fn let_spare_go(&self) {
        self.spare.close();
    }

    /// How many connections are in nobody's use, and not in the pool either.
    pub(super) fn spare(&self) -> usize {
        self.spare.len()
    }

    /// Takes a connection, for as long as what is returned is kept.
    fn take(&self) -> Taker {
        let taker = self.takers.one_more();
        self.spare.make_room();
        taker
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
        Ok(Transaction { work: self.patience.given_up.work(), inner, patience: self.patience.clone(), _taker: taker })
    }

    /// One connection for more than one statement.
    pub(super) async fn lease(&self) -> Result<Lease, DbErr> {
        let spare = self.spare.take();
        let taker = self.take();
        let at_once = spare.or_else(|| Leased::take_at_once(&self.inner).map(Away::new));
        let inner = match at_once {
            Some(one) => one,
            None => Away::new(self.patience.bound(Leased::take(&self.inner)).await?),
        };
        Ok(Lease::new(inner, self.patience.clone(), self.spare.clone(), taker))
    }

    pub(super) async fn ping(&self) -> Result<(), DbErr> {
        let _taker = self.take();
        self.patience.bound(self.inner.ping()).await
    }

    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.let_spare_go();
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
        self.patience.most = None;
        Ok(self)
    }

    /// For the migrator, which knows no other.
    pub(super) fn inner(&self) -> &DatabaseTransaction {
        &self.inner
    }

    pub(super) async fn commit(self) -> Result<(), DbErr> {
        self.patience.bound(self.inner.commit()).await?;
        self.work.finish();
        Ok(())
    }

    pub(super) async fn rollback(self) -> Result<(), DbErr> {
        self.patience.bound(self.inner.rollback()).await?;
        self.work.finish();
        Ok(())
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

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use sea_orm::Database;

    use super::*;

    /// Comes back to its pool when it is dropped, which looks then whether it may have been given up.
    struct Borrowed {
        given_up: GivenUp,
        is_doubted: Arc<AtomicBool>,
    }

    impl Drop for Borrowed {
        fn drop(&mut self) {
            self.is_doubted.store(self.given_up.is_recent(), Ordering::Relaxed);
        }
    }

    /// Whether a connection is doubted that comes back after this was done with it.
    async fn is_doubted<T>(act: impl AsyncFnOnce(Patience, Borrowed) -> T) -> bool {
        let patience = Patience { most: Some(Duration::ZERO), given_up: GivenUp::default() };
        let is_doubted = Arc::new(AtomicBool::default());
        let borrowed = Borrowed { given_up: patience.given_up.clone(), is_doubted: Arc::clone(&is_doubted) };
        act(patience, borrowed).await;
        is_doubted.load(Ordering::Relaxed)
    }

    async fn never(_borrowed: Borrowed) -> Result<(), DbErr> {
        std::future::pending().await
    }

    #[tokio::test]
    async fn what_is_given_up_is_doubted_by_the_time_that_it_comes_back() {
        assert!(is_doubted(async |patience, borrowed| patience.bound(never(borrowed)).await.unwrap_err()).await);
        let patient = |patience| Patience { most: Some(Duration::MAX), ..patience };
        let left = async |patience, borrowed| {
            let patience = patient(patience);
            timeout(Duration::ZERO, patience.bound(never(borrowed))).await.unwrap_err()
        };
        assert!(is_doubted(left).await, "nobody waited for it any more");
        let done = async |patience, borrowed| {
            let work = async move {
                let _borrowed: Borrowed = borrowed;
                Ok(())
            };
            patient(patience).bound(work).await.unwrap();
        };
        assert!(!is_doubted(done).await);
    }

    #[tokio::test]
    async fn a_transaction_that_came_to_no_end_is_doubted() {
        let connection = Connection::to_file(Database::connect("sqlite::memory:").await.unwrap());
        let is_recent = || connection.patience.given_up.is_recent();
        connection.begin().await.unwrap().commit().await.unwrap();
        connection.begin().await.unwrap().rollback().await.unwrap();
        assert!(!is_recent());
        drop(connection.begin().await.unwrap());
        assert!(is_recent());
    }
}
