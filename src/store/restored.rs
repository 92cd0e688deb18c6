//! Beginning anew with a database that was set back.

use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Condition, Expr, ExprTrait},
};

use super::{
    Store, StoreError, audit,
    entity::{code, feed_head, revocation, signing_key, user},
    feed,
    patience::Transaction,
    retrying, sessions, signing_keys,
};
use crate::domain::{AuditEvent, EndReason, FeedEntry, KeyState, News, STAYS_REVOKED_FOR, SealedKey};

/// By how much the feed's numbers jump: more than can have been lost.
const FAR: i64 = 1 << 40;
/// The same for the epochs of a user: each takes a sign-in to begin.
const EPOCHS: i64 = 1_000_000;

impl Store {
    /// Ends every session, moves every user to an epoch that there has not been, voids every code and revokes every signing key
    /// for the sake of `spare`; the feed's numbers jump ahead.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_anew(&self, spare: &SealedKey, event: &AuditEvent) -> Result<(), StoreError> {
        retrying(|| async {
            // It touches every user, which may take long.
            let transaction = self.begin().await?.without_bound().await?;
            user::Entity::update_many()
                .col_expr(user::Column::Epoch, Expr::col(user::Column::Epoch).add(EPOCHS))
                .exec(&transaction)
                .await?;
            sessions::end(&transaction, Condition::all(), event.at, EndReason::Revoked).await?;
            code::Entity::delete_many().exec(&transaction).await?;
            signing_key::Entity::update_many()
                .col_expr(signing_key::Column::State, Expr::value(KeyState::Revoked.as_str()))
                .col_expr(signing_key::Column::StateSince, Expr::value(event.at.unix_millis()))
                .filter(signing_key::Column::State.ne(KeyState::Revoked.as_str()))
                .exec(&transaction)
                .await?;
            signing_keys::add(&transaction, spare).await?;
            audit::record(&transaction, event).await?;
            jump(&transaction, event).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }
}

/// Every part of the feed goes on far behind where it was. There is an entry at the new place, because readers find theirs by
/// the last one.
async fn jump(transaction: &Transaction, event: &AuditEvent) -> Result<(), StoreError> {
    let heads = feed_head::Entity::update_many()
        .col_expr(feed_head::Column::Seq, Expr::col(feed_head::Column::Seq).add(FAR))
        .exec_with_returning(transaction)
        .await?;
    let entries = heads.into_iter().map(|head| {
        let part = u8::try_from(head.part).map_err(|_| StoreError::Corrupt { table: "feed_head", what: "part" })?;
        let (cause, expires_at) = (event.id, event.at + STAYS_REVOKED_FOR);
        Ok(feed::row(&FeedEntry { part, seq: head.seq, cause, news: News::KeysChanged, expires_at }))
    });
    let entries = entries.collect::<Result<Vec<_>, StoreError>>()?;
    revocation::Entity::insert_many(entries).exec_without_returning(transaction).await?;
    Ok(())
}
