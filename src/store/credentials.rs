//! What a signed-in person signs in with: replaced in one step with everything that the old one had opened.

use sea_orm::{ColumnTrait, ConnectionTrait as _, DbErr, EntityTrait, QueryFilter, SqlErr, sea_query::Expr};
use uuid::Uuid;

use super::{
    Store, StoreError, audit, codes, devices, entity::user, feed, letter_limits, outbox, retrying, sessions, sign_in,
    users,
};
use crate::domain::{
    AuditEvent, Code, EndReason, LetterLimit, OutboxLetter, PasswordHash, Session, SessionId, Sighting, UsedUntil,
    UserEpoch,
};

/// What replacing a password takes.
#[derive(Debug, Clone)]
pub struct PasswordChange {
    /// The hash of what the person typed as their present one.
    pub from: PasswordHash,
    /// What it becomes.
    pub to: PasswordHash,
    /// The user's when their password was checked.
    pub epoch: UserEpoch,
    /// The calling session, which must still be open.
    pub caller: SessionId,
    /// The session that takes its place.
    pub session: Session,
    /// The device that the person sits at: the only one that stays known.
    pub sighting: Sighting,
    /// What is written down.
    pub event: AuditEvent,
    /// For the person.
    pub notice: OutboxLetter,
}

/// The letters about a new address.
#[derive(Debug, Clone)]
pub struct EmailChangeLetters {
    /// For whoever reads the new address.
    pub code: OutboxLetter,
    /// For whoever has the new address already: in place of the code.
    pub taken: OutboxLetter,
    /// For the present address.
    pub notice: OutboxLetter,
}

/// What asking for a new address came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailChangeRequest {
    /// The code is on its way.
    Made,
    /// The person has asked too often; there is another code when this much less of their allowance is used up.
    TooMany(UsedUntil),
    /// They are not any more what they were.
    UserChanged,
}

impl Store {
    /// Replaces a password, ends every session, voids every code, and opens one session in place of the calling one. Says
    /// which sessions ended; `None` when the person, their password or the calling session is not any more what it was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_password(&self, change: &PasswordChange) -> Result<Option<Vec<SessionId>>, StoreError> {
        let PasswordChange { from, to, epoch, caller, session, sighting, event, notice } = change;
        let user = session.user;
        retrying(|| async {
            let transaction = self.begin().await?;
            if !users::is_unchanged(&transaction, user, *epoch).await? {
                return Ok(None);
            }
            let changed = user::Entity::update_many()
                .col_expr(user::Column::PasswordHash, Expr::value(to.expose()))
                .filter(user::Column::Id.eq(Uuid::from_bytes(*user.as_bytes())))
                .filter(user::Column::PasswordHash.eq(from.expose()))
                .exec(&transaction)
                .await?;
            codes::void(&transaction, user).await?;
            let (ended, news) = sessions::end_all(&transaction, user, EndReason::PasswordChanged, event.at).await?;
            if changed.rows_affected == 0 || !ended.contains(caller) {
                return Ok(None);
            }
            transaction.execute_raw(sign_in::insert(transaction.get_database_backend(), session, event)?).await?;
            devices::forget_others(&transaction, user, sighting.presented).await?;
            devices::see(&transaction, user, *sighting, event.at).await?;
            audit::record(&transaction, event).await?;
            outbox::enqueue(&transaction, notice).await?;
            feed::append(&transaction, event.id, event.at, news.as_slice()).await?;
            transaction.commit().await?;
            Ok(Some(ended))
        })
        .await
    }

    /// Issues the code that a new address is confirmed with. Whoever has that address already is written to in its place; the
    /// work is the same.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request_email_change(
        &self,
        code: &Code,
        epoch: UserEpoch,
        letters: &EmailChangeLetters,
        event: &AuditEvent,
    ) -> Result<EmailChangeRequest, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            if !users::is_unchanged(&transaction, code.user, epoch).await? {
                return Ok(EmailChangeRequest::UserChanged);
            }
            if let Err(allowance) =
                letter_limits::take(&transaction, code.user, LetterLimit::EmailChange, event.at).await?
            {
                return Ok(EmailChangeRequest::TooMany(allowance));
            }
            codes::issue(&transaction, code).await?;
            let owner = users::by_email(&transaction, &code.email).await?.filter(|owner| owner.id != code.user);
            let letter = match owner {
                Some(owner) => &OutboxLetter { user: Some(owner.id), ..letters.taken.clone() },
                None => &letters.code,
            };
            outbox::enqueue(&transaction, letter).await?;
            outbox::enqueue(&transaction, &letters.notice).await?;
            audit::record(&transaction, event).await?;
            transaction.commit().await?;
            Ok(EmailChangeRequest::Made)
        })
        .await
    }

    /// Uses a code up for the address that it went to, which is the account's from then on; every other code is void.
    /// `false` when the code is good for nothing any more, or somebody else has the address.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_email(
        &self,
        code: &Code,
        event: &AuditEvent,
        notice: &OutboxLetter,
    ) -> Result<bool, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            let holder = users::hold(&transaction, code.user).await?.filter(|user| user.disabled_at.is_none());
            if holder.is_none() || !codes::spend(&transaction, code, event.at).await? {
                return Ok(false);
            }
            let changed = user::Entity::update_many()
                .col_expr(user::Column::Email, Expr::value(code.email.as_str()))
                .col_expr(user::Column::EmailKey, Expr::value(code.email.key()))
                .col_expr(user::Column::EmailVerifiedAt, Expr::value(event.at.unix_millis()))
                .filter(user::Column::Id.eq(Uuid::from_bytes(*code.user.as_bytes())))
                .exec(&transaction)
                .await;
            match changed {
                Err(error) if is_taken(&error) => return Ok(false),
                changed => changed?,
            };
            codes::void(&transaction, code.user).await?;
            audit::record(&transaction, event).await?;
            outbox::enqueue(&transaction, notice).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }
}

fn is_taken(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
