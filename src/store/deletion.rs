//! The end of an account: announced, taken back, and in the end carried out.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use super::{
    Store, StoreError, audit, codes,
    entity::{audit_event, user},
    feed, outbox,
    patience::Transaction,
    retrying, sessions, users,
};
use crate::domain::{AuditEvent, EndReason, OutboxLetter, SessionId, Timestamp, User, UserEpoch, UserId};

impl Store {
    /// Has an account deleted at `delete_after`, ends its sessions and voids its codes; says which sessions those were.
    /// `None` when the user is not any more what they were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedule_deletion(
        &self,
        epoch: UserEpoch,
        delete_after: Timestamp,
        event: &AuditEvent,
        notice: &OutboxLetter,
    ) -> Result<Option<Vec<SessionId>>, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            if !users::is_unchanged(&transaction, event.user, epoch).await? {
                return Ok(None);
            }
            user::Entity::update_many()
                .col_expr(user::Column::DeleteAfter, Expr::value(delete_after.unix_millis()))
                .filter(user::Column::Id.eq(uuid(event.user)))
                .exec(&transaction)
                .await?;
            codes::void(&transaction, event.user).await?;
            let (ended, news) = sessions::end_all(&transaction, event.user, EndReason::UserDeleted, event.at).await?;
            audit::record(&transaction, event).await?;
            outbox::enqueue(&transaction, notice).await?;
            feed::append(&transaction, event.id, event.at, news.as_slice()).await?;
            transaction.commit().await?;
            Ok(Some(ended))
        })
        .await
    }

    /// Up to `most` accounts whose time has come, the longest due first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn users_to_delete(&self, now: Timestamp, most: u32) -> Result<Vec<User>, StoreError> {
        let rows = user::Entity::find()
            .filter(user::Column::DeleteAfter.lte(now.unix_millis()))
            .order_by_asc(user::Column::DeleteAfter)
            .limit(u64::from(most))
            .all(&self.read)
            .await?;
        rows.into_iter().map(User::try_from).collect()
    }

    /// Deletes an account and everything of its owner's; `false` when they have come back, or somebody else deleted it. What
    /// happened stays written down, without where it was done from.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_user(&self, event: &AuditEvent, farewell: &OutboxLetter) -> Result<bool, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            // Sessions, codes, devices, letters and metadata go with it.
            let deleted = user::Entity::delete_many()
                .filter(user::Column::Id.eq(uuid(event.user)))
                .filter(user::Column::DeleteAfter.lte(event.at.unix_millis()))
                .exec(&transaction)
                .await?;
            if deleted.rows_affected == 0 {
                return Ok(false);
            }
            audit_event::Entity::update_many()
                .col_expr(audit_event::Column::Address, Expr::value(Option::<String>::None))
                .col_expr(audit_event::Column::UserAgent, Expr::value(""))
                .filter(audit_event::Column::UserId.eq(uuid(event.user)))
                .exec(&transaction)
                .await?;
            audit::record(&transaction, event).await?;
            outbox::enqueue(&transaction, farewell).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }
}

/// Keeps an account that was to be deleted.
pub(super) async fn keep(transaction: &Transaction, user: UserId) -> Result<(), StoreError> {
    user::Entity::update_many()
        .col_expr(user::Column::DeleteAfter, Expr::value(Option::<i64>::None))
        .filter(user::Column::Id.eq(uuid(user)))
        .exec(transaction)
        .await?;
    Ok(())
}

fn uuid(user: UserId) -> Uuid {
    Uuid::from_bytes(*user.as_bytes())
}
