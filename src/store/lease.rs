//! A connection for more than one statement, outside of any transaction of the driver's. Each time that one goes back to its pool
//! it is asked whether it lives, so that of two statements which each take one most is spent on asking.

use std::sync::Arc;

use sea_orm::{
    ConnAcquireErr, DatabaseConnection, DbBackend, DbErr, QueryResult, RuntimeErr, SqlxError, Statement, Value, Values,
    sqlx::{Arguments, AssertSqlSafe, Database, Encode, Postgres, Sqlite, Type, pool::PoolConnection, query_with},
};
use uuid::Uuid;

use super::{
    patience::Patience,
    spare::{Away, Spare},
    takers::Taker,
};

/// A connection of a pool, until it is dropped.
pub(super) enum Leased {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Leased {
    /// Takes one that nobody has, where it needs no asking first: a file does not hang up.
    pub(super) fn take_at_once(pool: &DatabaseConnection) -> Option<Self> {
        match pool.get_database_backend() {
            DbBackend::Postgres => None,
            _ => pool.get_sqlite_connection_pool().try_acquire().map(Self::Sqlite),
        }
    }

    /// Waits for one.
    pub(super) async fn take(pool: &DatabaseConnection) -> Result<Self, DbErr> {
        // On the heap, as what may have to open a connection is large, and would make whatever waits for one as large.
        let lease = match pool.get_database_backend() {
            DbBackend::Postgres => Box::pin(pool.get_postgres_connection_pool().acquire()).await.map(Self::Postgres),
            _ => Box::pin(pool.get_sqlite_connection_pool().acquire()).await.map(Self::Sqlite),
        };
        lease.map_err(|error| match error {
            SqlxError::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
            error => failed(error),
        })
    }

    /// The first row.
    pub(super) async fn query_one(&mut self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let text = AssertSqlSafe(statement.sql);
        let row = match self {
            Self::Sqlite(connection) => {
                let query = query_with(text, arguments::<Sqlite>(statement.values).map_err(failed)?);
                query.fetch_optional(&mut **connection).await.map(|row| row.map(QueryResult::from))
            }
            Self::Postgres(connection) => {
                let query = query_with(text, arguments::<Postgres>(statement.values).map_err(failed)?);
                query.fetch_optional(&mut **connection).await.map(|row| row.map(QueryResult::from))
            }
        };
        row.map_err(failed)
    }

    /// How many rows it changed.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64, DbErr> {
        let text = AssertSqlSafe(statement.sql);
        let changed = match self {
            Self::Sqlite(connection) => {
                let query = query_with(text, arguments::<Sqlite>(statement.values).map_err(failed)?);
                query.execute(&mut **connection).await.map(|done| done.rows_affected())
            }
            Self::Postgres(connection) => {
                let query = query_with(text, arguments::<Postgres>(statement.values).map_err(failed)?);
                query.execute(&mut **connection).await.map(|done| done.rows_affected())
            }
        };
        changed.map_err(failed)
    }
}

/// A connection for more than one statement. Whoever has one must not wait for another: all of a pool's could be had by those
/// who do.
pub(super) struct Lease {
    inner: Away,
    patience: Patience,
    spare: Spare,
    _taker: Taker,
}

impl Lease {
    pub(super) fn new(inner: Away, patience: Patience, spare: Spare, taker: Taker) -> Self {
        Self { inner, patience, spare, _taker: taker }
    }

    pub(super) async fn query_one(&mut self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.patience.bound(self.inner.connection.query_one(statement)).await
    }

    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64, DbErr> {
        self.patience.bound(self.inner.connection.execute(statement)).await
    }

    /// Whoever needs a connection next may have it: nothing is owed by either side.
    pub(super) fn keep(self) {
        self.spare.keep(self.inner);
    }
}

/// As the driver takes them. There are those of the statements that come here.
fn arguments<DB>(values: Option<Values>) -> Result<DB::Arguments, SqlxError>
where
    DB: Database,
    for<'q> Option<i64>: Encode<'q, DB> + Type<DB>,
    for<'q> Option<Uuid>: Encode<'q, DB> + Type<DB>,
    for<'q> Option<String>: Encode<'q, DB> + Type<DB>,
    for<'q> Option<Vec<u8>>: Encode<'q, DB> + Type<DB>,
{
    let mut arguments = DB::Arguments::default();
    for value in values.into_iter().flatten() {
        match value {
            Value::BigInt(number) => arguments.add(number).map_err(SqlxError::Encode)?,
            Value::Uuid(id) => arguments.add(id).map_err(SqlxError::Encode)?,
            Value::String(text) => arguments.add(text).map_err(SqlxError::Encode)?,
            Value::Bytes(bytes) => arguments.add(bytes).map_err(SqlxError::Encode)?,
            _ => return Err(SqlxError::Encode("no statement of a lease has such a value".into())),
        }
    }
    Ok(arguments)
}

fn failed(error: SqlxError) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}
