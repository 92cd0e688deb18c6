//! Bringing the schema up to date: in one transaction and under a lock, since the migrator has neither on its own.

use migrations::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend};

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
        // On SQLite the transaction itself is the lock.
        let transaction = self.begin().await?;
        if transaction.get_database_backend() == DbBackend::Postgres {
            wait_for_others(&transaction).await?;
        }
        let pending = names(&Migrator::get_pending_migrations(&transaction).await?);
        Migrator::up(&transaction, None).await?;
        transaction.commit().await?;
        Ok(pending)
    }

    /// What has not been applied yet. Changes nothing.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        Ok(names(&Migrator::get_pending_migrations_read_only(&self.read).await?))
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

async fn wait_for_others(transaction: &DatabaseTransaction) -> Result<(), StoreError> {
    // Building an index may take longer than any call may.
    transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
    transaction.execute_unprepared(LOCK).await?;
    Ok(())
}

fn names(migrations: &[migrations::Migration]) -> Vec<String> {
    migrations.iter().map(|migration| migration.name().to_owned()).collect()
}
