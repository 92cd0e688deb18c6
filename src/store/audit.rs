//! The audit log: written in the transaction that did what it tells of.

use sea_orm::{ActiveValue::Set, ConnectionTrait as _, DbBackend, Statement};
use uuid::Uuid;

use super::{Store, StoreError, entity::audit_event, patience::Transaction, prepared::Prepared, retrying};
use crate::domain::AuditEvent;

/// Adds an entry.
pub(super) async fn record(transaction: &Transaction, event: &AuditEvent) -> Result<(), StoreError> {
    transaction.execute_raw(insert(transaction.get_database_backend(), event)).await?;
    Ok(())
}

/// The statement that adds it.
pub(super) fn insert(backend: DbBackend, event: &AuditEvent) -> Statement {
    static EVENT: Prepared = Prepared::new();
    EVENT.insert(backend, row(event))
}

pub(super) fn row(event: &AuditEvent) -> audit_event::ActiveModel {
    audit_event::ActiveModel {
        id: Set(Uuid::from_bytes(*event.id.as_bytes())),
        at: Set(event.at.unix_millis()),
        kind: Set(event.kind.as_str().to_owned()),
        user_id: Set(Uuid::from_bytes(*event.user.as_bytes())),
        session_id: Set(event.session.map(|id| Uuid::from_bytes(*id.as_bytes()))),
        address: Set(event.by.address.map(|address| address.to_string())),
        user_agent: Set(event.by.user_agent.clone()),
    }
}

impl Store {
    /// Adds an entry that nothing else goes with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(&self, event: &AuditEvent) -> Result<(), StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            record(&transaction, event).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }
}
