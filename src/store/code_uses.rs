//! What codes are issued by and used for. Each use is one transaction that begins with the person's row and the code: of all
//! who offer the same code one gets on, and what another code, or the person themselves, changed meanwhile counts.

use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, Func},
};
use uuid::Uuid;

use super::{
    Leased, Store, StoreError, audit, codes, devices, entity::user, feed, letter_limits, outbox, patience::Transaction,
    retrying, sessions, users,
};
use crate::domain::{AuditEvent, Code, EndReason, OutboxLetter, PasswordHash, SessionId, Timestamp, User};

impl Store {
    /// Does an errand: puts a code in the place of the one before, and a letter that has it into the outbox. Nothing when
    /// somebody else does the errand, the code's owner has changed since they were looked up, or has got so many letters
    /// lately that the code before is to stay; `false` for the latter.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn issue_code(&self, errand: &Leased, code: &Code, letter: &OutboxLetter) -> Result<bool, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            let mut may = true;
            if outbox::finish(&transaction, errand).await? && holder(&transaction, code).await?.is_some() {
                let (limit, now) = (code.purpose.limit(), code.created_at);
                may = letter_limits::take(&transaction, code.user, limit, now).await?.is_ok();
                if may {
                    codes::issue(&transaction, code).await?;
                    outbox::enqueue(&transaction, letter).await?;
                }
            }
            transaction.commit().await?;
            Ok(may)
        })
        .await
    }

    /// Uses a code up for confirming the address that it went to; `false` when it is good for nothing any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verify_email(&self, code: &Code, event: &AuditEvent) -> Result<bool, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            if !used(&transaction, code, event.at).await? {
                return Ok(false);
            }
            let row = Uuid::from_bytes(*code.user.as_bytes());
            confirmed(event.at).filter(user::Column::Id.eq(row)).exec(&transaction).await?;
            audit::record(&transaction, event).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    /// Uses a code up for a new password, which ends and voids everything that the account was opened with before, and says
    /// which sessions those were; `None` when the code is good for nothing any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reset_password(
        &self,
        code: &Code,
        hash: &PasswordHash,
        event: &AuditEvent,
        letter: &OutboxLetter,
    ) -> Result<Option<Vec<SessionId>>, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            if !used(&transaction, code, event.at).await? {
                return Ok(None);
            }
            confirmed(event.at)
                .col_expr(user::Column::PasswordHash, Expr::value(hash.expose()))
                .filter(user::Column::Id.eq(Uuid::from_bytes(*code.user.as_bytes())))
                .exec(&transaction)
                .await?;
            codes::void(&transaction, code.user).await?;
            devices::forget_others(&transaction, code.user, None).await?;
            let (ended, news) =
                sessions::end_all(&transaction, code.user, EndReason::PasswordChanged, event.at).await?;
            audit::record(&transaction, event).await?;
            outbox::enqueue(&transaction, letter).await?;
            feed::append(&transaction, event.id, event.at, news.as_slice()).await?;
            transaction.commit().await?;
            Ok(Some(ended))
        })
        .await
    }
}

/// Uses a code up, if its owner may still have one and still has the address that it went to.
async fn used(transaction: &Transaction, code: &Code, now: Timestamp) -> Result<bool, StoreError> {
    Ok(holder(transaction, code).await?.is_some() && codes::spend(transaction, code, now).await?)
}

/// Whoever the code is for, held until the transaction ends; `None` when they may not have it any more.
async fn holder(transaction: &Transaction, code: &Code) -> Result<Option<User>, StoreError> {
    let user = users::hold(transaction, code.user).await?;
    Ok(user.filter(|user| user.disabled_at.is_none() && user.email.key() == code.email.key()))
}

/// That the address is known to be the person's; once it is, since when does not change.
fn confirmed(now: Timestamp) -> sea_orm::UpdateMany<user::Entity> {
    let since = Func::coalesce([Expr::col(user::Column::EmailVerifiedAt), Expr::value(now.unix_millis())]);
    user::Entity::update_many().col_expr(user::Column::EmailVerifiedAt, since.into())
}
