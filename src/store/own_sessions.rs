//! What a person does to their own sessions. Whose a session is stands in the statement, not in what was read before it.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use super::{Store, StoreError, audit, entity::session, feed, retrying, sessions};
use crate::domain::{
    AuditEvent, Device, EndReason, Generation, News, Session, SessionId, SessionState, Timestamp, UserId,
};

impl Store {
    /// The open sessions of a user and where each was opened, the last used first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<(Session, Device)>, StoreError> {
        let rows = session::Entity::find()
            .filter(session::Column::UserId.eq(Uuid::from_bytes(*user.as_bytes())))
            .filter(session::Column::EndedAt.is_null())
            // Never later than the absolute end.
            .filter(session::Column::IdleExpiresAt.gt(now.unix_millis()))
            .order_by_desc(session::Column::RotatedAt)
            .order_by_desc(session::Column::Id)
            .all(&self.read)
            .await?;
        rows.into_iter().map(|row| Ok((Session::try_from(row.clone())?, sessions::device(row)?))).collect()
    }

    /// Ends a session if it is the user's; `false` when it is not, had ended, or never was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_own_session(
        &self,
        user: UserId,
        session: SessionId,
        event: &AuditEvent,
    ) -> Result<bool, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            let which = own(user).add(session::Column::Id.eq(sessions::uuid(session)));
            let ended = sessions::end(&transaction, which, event.at, EndReason::Revoked).await?;
            if ended {
                audit::record(&transaction, event).await?;
                feed::append(&transaction, event.id, event.at, &[News::SessionEnded(session)]).await?;
            }
            transaction.commit().await?;
            Ok(ended)
        })
        .await
    }

    /// Ends every session of a user but one, and says which those were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_other_sessions(
        &self,
        user: UserId,
        kept: SessionId,
        event: &AuditEvent,
    ) -> Result<Vec<SessionId>, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            let others =
                own(user).add(session::Column::Id.ne(sessions::uuid(kept))).add(session::Column::EndedAt.is_null());
            let live: Vec<Uuid> = session::Entity::find()
                .select_only()
                .column(session::Column::Id)
                .filter(others)
                .into_tuple()
                .all(&transaction)
                .await?;
            let which = Condition::all().add(session::Column::Id.is_in(live.clone()));
            sessions::end(&transaction, which, event.at, EndReason::Revoked).await?;
            audit::record(&transaction, event).await?;
            let ended: Vec<SessionId> = live.into_iter().map(sessions::id).collect();
            let news: Vec<News> = ended.iter().map(|session| News::SessionEnded(*session)).collect();
            feed::append(&transaction, event.id, event.at, &news).await?;
            transaction.commit().await?;
            Ok(ended)
        })
        .await
    }

    /// Moves a session to its next generation with a new proof of who its holder is: both as `session` now says. `false` when
    /// somebody else moved or ended it first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prove_session(
        &self,
        session: &Session,
        from: Generation,
        event: &AuditEvent,
    ) -> Result<bool, StoreError> {
        let SessionState::Active { generation, rotated_at, idle_expires_at } = session.state else { return Ok(false) };
        retrying(|| async {
            let transaction = self.begin().await?;
            let moved = session::Entity::update_many()
                .col_expr(session::Column::Generation, Expr::value(i64::from(generation.count())))
                .col_expr(session::Column::RotatedAt, Expr::value(rotated_at.unix_millis()))
                .col_expr(session::Column::IdleExpiresAt, Expr::value(idle_expires_at.unix_millis()))
                .col_expr(session::Column::AuthenticatedAt, Expr::value(session.authenticated_at.unix_millis()))
                .filter(session::Column::Id.eq(sessions::uuid(session.id)))
                .filter(session::Column::Generation.eq(i64::from(from.count())))
                .filter(session::Column::EndedAt.is_null())
                .exec(&transaction)
                .await?
                .rows_affected
                > 0;
            if moved {
                audit::record(&transaction, event).await?;
            }
            transaction.commit().await?;
            Ok(moved)
        })
        .await
    }
}

fn own(user: UserId) -> Condition {
    Condition::all().add(session::Column::UserId.eq(Uuid::from_bytes(*user.as_bytes())))
}
