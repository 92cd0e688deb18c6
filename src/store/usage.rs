//! How much of the database is in use, and what waits in it.

use std::sync::atomic::{AtomicU64, Ordering};

use sea_orm::{
    ColumnTrait, DatabaseBackend, EntityTrait, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use super::{Store, StoreError, entity::outbox, patience::Connection};
use crate::domain::Timestamp;

/// Statements of this process that got no connection in time. Drivers' errors become ours where nobody knows of any store.
pub(super) static ACQUIRE_TIMEOUTS: AtomicU64 = AtomicU64::new(0);

/// This process's connections.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Those that somebody uses.
    pub in_use: u32,
    /// Those that nobody does.
    pub idle: u32,
    /// The most of both.
    pub most: u32,
    /// Statements and transactions that wait for one.
    pub waiting: u32,
    /// How often a statement got none in time.
    pub timeouts: u64,
}

/// What waits in the outbox.
#[derive(Debug, Clone, Copy)]
pub struct Backlog {
    /// Letters that may still leave.
    pub waiting: u64,
    /// Letters that will not.
    pub given_up: u64,
    /// When the oldest was written that may.
    pub oldest: Option<Timestamp>,
}

impl Store {
    /// How much is in use; the readers of revocations and hints are not counted.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let mut usage = pool(&self.read);
        // SQLite's writer has a pool to itself.
        if self.write.inner().get_database_backend() == DatabaseBackend::Sqlite {
            let writer = pool(&self.write);
            usage.in_use += writer.in_use;
            usage.idle += writer.idle;
            usage.most += writer.most;
            usage.waiting += writer.waiting;
        }
        usage
    }

    /// What waits in the outbox, of all nodes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        use outbox::Column::{CreatedAt, DeadAt};

        let row: (i64, i64, Option<i64>) = outbox::Entity::find()
            .select_only()
            .expr(Expr::col(CreatedAt).count().sub(Expr::col(DeadAt).count()))
            .expr(Expr::col(DeadAt).count())
            .expr(Expr::case(DeadAt.is_null(), Expr::col(CreatedAt)).finally(Expr::value(Option::<i64>::None)).min())
            .into_tuple()
            .one(&self.read)
            .await?
            .unwrap_or_default();
        let (waiting, given_up, oldest) = row;
        let count = |rows: i64| u64::try_from(rows).unwrap_or(0);
        Ok(Backlog {
            waiting: count(waiting),
            given_up: count(given_up),
            oldest: oldest.map(Timestamp::from_unix_millis),
        })
    }
}

/// How much of one pool is in use.
fn pool(connection: &Connection) -> Usage {
    let inner = connection.inner();
    let (size, idle, most) = if inner.get_database_backend() == DatabaseBackend::Sqlite {
        let pool = inner.get_sqlite_connection_pool();
        (pool.size(), pool.num_idle(), pool.options().get_max_connections())
    } else {
        let pool = inner.get_postgres_connection_pool();
        (pool.size(), pool.num_idle(), pool.options().get_max_connections())
    };
    let idle = u32::try_from(idle + connection.spare()).unwrap_or(u32::MAX);
    let in_use = size.saturating_sub(idle);
    let waiting = connection.takers().saturating_sub(in_use);
    Usage { in_use, idle, most, waiting, timeouts: ACQUIRE_TIMEOUTS.load(Ordering::Relaxed) }
}
