//! Bringing the schema up to date: in one transaction and under a lock, since the migrator has neither on its own.

use migrations::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DbBackend};

use super::{Store, StoreError};

/// Nodes that start together queue here. The second number is the schema's, so that two services in one database do not wait
/// for each other; a transaction's lock, because a session's would stay behind in a pooler.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1668639091, hashtext(current_schema()))";

impl Store {
    /// Applies what is pending, all of it or nothing, and says what that was.
    ///
    /// # Errors
    /// When the database cannot be reached or refuses a step.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        // Building an index may take long. On SQLite the transaction itself is the lock.
        let transaction = self.begin().await?.without_bound().await?;
        if transaction.get_database_backend() == DbBackend::Postgres {
            // Whoever has waited has to see what was done meanwhile, however strict the database is by default.
            transaction.execute_unprepared("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
            transaction.execute_unprepared(LOCK).await?;
        }
        let pending = names(&Migrator::get_pending_migrations(transaction.inner()).await?);
        Migrator::up(transaction.inner(), None).await?;
        transaction.commit().await?;
        Ok(pending)
    }

    /// What has not been applied yet. Changes nothing.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        Ok(names(&Migrator::get_pending_migrations_read_only(self.read.inner()).await?))
    }

    /// Refuses to go on with an older schema.
    ///
    /// # Errors
    /// [`StoreError::Outdated`] when something is pending.
    pub async fn require_current_schema(&self) -> Result<(), StoreError> {
        let pending = self.pending_migrations().await?;
        if pending.is_empty() { Ok(()) } else { Err(StoreError::Outdated { pending }) }
    }
}

fn names(migrations: &[migrations::Migration]) -> Vec<String> {
    migrations.iter().map(|migration| migration.name().to_owned()).collect()
}
