//! Sessions: one row each, moved on and ended by conditional updates, so that of all who race one wins.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait as _, DbBackend, EntityTrait, FromQueryResult as _,
    IdenStatic as _, QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait as _, SelectA, SelectB, Statement,
    sea_query::Expr,
};
use uuid::Uuid;

use super::{
    Store, StoreError, audit, codes, entity::session, entity::user, feed, outbox, patience::Transaction,
    prepared::Prepared, retrying, users,
};
use crate::domain::{
    AuditEvent, Device, EndReason, Generation, News, OutboxLetter, Session, SessionId, SessionSalt, SessionState,
    Timestamp, User, UserId,
};

/// How many sessions are looked through at once for dead ones, so that no statement takes longer the more there are.
const PAGE: u64 = 10_000;

impl Store {
    /// A session and whose it is.
    ///
    /// # Errors
    /// When the database fails: never to be taken for "there is none".
    pub async fn session(&self, session: SessionId) -> Result<Option<(Session, User)>, StoreError> {
        let found = self.read.query_one_raw(by_id(self.read.get_database_backend(), session)).await?;
        found.map(with_owner).transpose()
    }

    /// Ends a session, with a letter that says so where one is due; `false` when it had ended, or never was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session(
        &self,
        session: SessionId,
        why: EndReason,
        event: &AuditEvent,
        letter: Option<&OutboxLetter>,
    ) -> Result<bool, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            let which = Condition::all().add(session::Column::Id.eq(uuid(session)));
            let ended = end(&transaction, which, event.at, why).await?;
            if ended {
                audit::record(&transaction, event).await?;
                if let Some(letter) = letter {
                    outbox::enqueue(&transaction, letter).await?;
                }
                feed::append(&transaction, event.id, event.at, &[News::SessionEnded(session)]).await?;
            }
            transaction.commit().await?;
            Ok(ended)
        })
        .await
    }

    /// Ends every session of a user and moves them to the next epoch; with [`EndReason::UserDisabled`] also disables them.
    /// Says which sessions that ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_sessions_of(
        &self,
        user: UserId,
        why: EndReason,
        event: &AuditEvent,
    ) -> Result<Vec<SessionId>, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            let (ended, news) = end_all(&transaction, user, why, event.at).await?;
            if why == EndReason::UserDisabled {
                codes::void(&transaction, user).await?;
            }
            audit::record(&transaction, event).await?;
            feed::append(&transaction, event.id, event.at, news.as_slice()).await?;
            transaction.commit().await?;
            Ok(ended)
        })
        .await
    }

    /// Deletes the sessions that ended or expired before `moment`; `most` at a time, so that no one waits long for a lock. Looks
    /// through all that there are: an index of when they expire would have to be kept by each refresh.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_sessions_dead_before(&self, moment: Timestamp, most: usize) -> Result<(), StoreError> {
        let ids = || session::Entity::find().select_only().column(session::Column::Id);
        let moment = moment.unix_millis();
        let mut after = Uuid::nil();
        loop {
            let following = ids().filter(session::Column::Id.gt(after)).order_by_asc(session::Column::Id);
            let last: Option<Uuid> = following.offset(PAGE - 1).limit(1).into_tuple().one(&self.read).await?;
            // Never later than their absolute end.
            let is_dead = Condition::any()
                .add(session::Column::EndedAt.lt(moment))
                .add(session::Column::IdleExpiresAt.lt(moment));
            let page = ids()
                .filter(session::Column::Id.gt(after))
                .filter(session::Column::Id.lte(last.unwrap_or(Uuid::max())))
                .filter(is_dead);
            let dead: Vec<Uuid> = page.into_tuple().all(&self.read).await?;
            for some in dead.chunks(most) {
                let which = session::Column::Id.is_in(some.iter().copied());
                session::Entity::delete_many().filter(which).exec(&self.write).await?;
            }
            let Some(last) = last else { return Ok(()) };
            after = last;
        }
    }
}

/// Ends every session of a user and moves them to the next epoch. Says which sessions that ended, and what the feed has to be
/// told at the end of the transaction.
pub(super) async fn end_all(
    transaction: &Transaction,
    user: UserId,
    why: EndReason,
    at: Timestamp,
) -> Result<(Vec<SessionId>, Option<News>), StoreError> {
    let disabled_at = (why == EndReason::UserDisabled).then_some(at);
    let epoch = users::bump_epoch(transaction, user, disabled_at).await?;
    // The user's row is held now: no session opens between these two.
    let live = oldest_beyond(transaction, user, 0).await?;
    end(transaction, Condition::all().add(session::Column::Id.is_in(live.clone())), at, why).await?;
    let news = epoch.map(|epoch| News::EpochBegan { user, epoch });
    Ok((live.into_iter().map(id).collect(), news))
}

/// Ends what is still open of `which`. The feed has to be told at the end of the transaction.
pub(super) async fn end(
    transaction: &Transaction,
    which: Condition,
    at: Timestamp,
    why: EndReason,
) -> Result<bool, StoreError> {
    let ended = session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(at.unix_millis()))
        .col_expr(session::Column::EndReason, Expr::value(why.as_str()))
        .filter(which)
        .filter(session::Column::EndedAt.is_null())
        .exec(transaction)
        .await?;
    Ok(ended.rows_affected > 0)
}

/// The live sessions of a user, without the newest `kept` ones.
pub(super) async fn oldest_beyond(transaction: &Transaction, user: UserId, kept: u32) -> Result<Vec<Uuid>, StoreError> {
    static BEYOND: Prepared = Prepared::new();
    let (backend, user) = (transaction.get_database_backend(), Uuid::from_bytes(*user.as_bytes()));
    // SQLite has no OFFSET without a LIMIT.
    let (all, kept) = (u64::from(u32::MAX), u64::from(kept));
    let statement = BEYOND.with(backend, [user.into(), all.into(), kept.into()], || {
        session::Entity::find()
            .select_only()
            .column(session::Column::Id)
            .filter(session::Column::UserId.eq(user))
            .filter(session::Column::EndedAt.is_null())
            .order_by_desc(session::Column::AuthenticatedAt)
            .order_by_desc(session::Column::Id)
            .limit(all)
            .offset(kept)
            .build(backend)
    });
    let rows = transaction.query_all_raw(statement).await?;
    Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
}

/// Asks for a session and whose it is.
pub(super) fn by_id(backend: DbBackend, session: SessionId) -> Statement {
    static SESSION: Prepared = Prepared::new();
    SESSION.with(backend, [uuid(session).into()], || {
        session::Entity::find_by_id(uuid(session)).find_also_related(user::Entity).build(backend)
    })
}

/// What that finds.
#[expect(clippy::needless_pass_by_value, reason = "as `map` has it")]
pub(super) fn with_owner(found: QueryResult) -> Result<(Session, User), StoreError> {
    let row = session::Model::from_query_result(&found, SelectA.as_str())?;
    let owner = user::Model::from_query_result_optional(&found, SelectB.as_str())?;
    let owner = owner.ok_or(StoreError::Corrupt { table: "sessions", what: "user_id" })?;
    Ok((Session::try_from(row)?, User::try_from(owner)?))
}

pub(super) fn uuid(session: SessionId) -> Uuid {
    Uuid::from_bytes(*session.as_bytes())
}

pub(super) fn id(row: Uuid) -> SessionId {
    SessionId::from_bytes(row.into_bytes())
}

/// Where a session was opened.
pub(super) fn device(row: session::Model) -> Result<Device, StoreError> {
    let address = row.address.map(|address| address.parse()).transpose();
    let address = address.map_err(|_| StoreError::Corrupt { table: "sessions", what: "address" })?;
    Ok(Device { address, user_agent: row.user_agent })
}

pub(super) fn row(session: &Session, device: &Device) -> Result<session::ActiveModel, StoreError> {
    let SessionState::Active { generation, rotated_at, idle_expires_at } = session.state else {
        return Err(StoreError::Corrupt { table: "sessions", what: "a session is opened that has ended" });
    };
    Ok(session::ActiveModel {
        id: Set(uuid(session.id)),
        user_id: Set(Uuid::from_bytes(*session.user.as_bytes())),
        salt: Set(session.salt.as_bytes().to_vec()),
        generation: Set(i64::from(generation.count())),
        rotated_at: Set(rotated_at.unix_millis()),
        authenticated_at: Set(session.authenticated_at.unix_millis()),
        idle_expires_at: Set(idle_expires_at.unix_millis()),
        expires_at: Set(session.expires_at.unix_millis()),
        ended_at: Set(None),
        end_reason: Set(None),
        address: Set(device.address.map(|address| address.to_string())),
        user_agent: Set(device.user_agent.clone()),
    })
}

impl TryFrom<session::Model> for Session {
    type Error = StoreError;

    fn try_from(row: session::Model) -> Result<Self, StoreError> {
        let corrupt = |what| StoreError::Corrupt { table: "sessions", what };
        let state = match (row.ended_at, row.end_reason.as_deref()) {
            (None, None) => SessionState::Active {
                generation: Generation::from_count(row.generation).ok_or_else(|| corrupt("generation"))?,
                rotated_at: Timestamp::from_unix_millis(row.rotated_at),
                idle_expires_at: Timestamp::from_unix_millis(row.idle_expires_at),
            },
            (Some(at), Some(why)) => SessionState::Ended {
                at: Timestamp::from_unix_millis(at),
                why: EndReason::ALL.into_iter().find(|r| r.as_str() == why).ok_or_else(|| corrupt("end_reason"))?,
            },
            _ => return Err(corrupt("ended_at and end_reason")),
        };
        Ok(Self {
            id: id(row.id),
            user: UserId::from_bytes(row.user_id.into_bytes()),
            salt: SessionSalt::from_bytes(row.salt.try_into().map_err(|_| corrupt("salt"))?),
            authenticated_at: Timestamp::from_unix_millis(row.authenticated_at),
            expires_at: Timestamp::from_unix_millis(row.expires_at),
            state,
        })
    }
}
