//! Opening sessions.

use sea_orm::{ColumnTrait, Condition, ConnectionTrait as _, DbBackend, QueryResult, Statement};

use super::{
    Store, StoreError, audit, deletion,
    devices::{self, Seen},
    entity::session,
    feed, outbox,
    patience::Transaction,
    prepared::Prepared,
    retrying, sessions, users,
};
use crate::domain::{
    AuditEvent, AuditId, AuditKind, EndReason, News, OutboxLetter, Session, SessionId, Sighting, UserEpoch,
};

/// What opening a session takes.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The session.
    pub session: Session,
    /// The user's when their password was checked.
    pub epoch: UserEpoch,
    /// The most live sessions that they may have.
    pub most: u32,
    /// The device that they sit at.
    pub sighting: Sighting,
    /// What is written down.
    pub event: AuditEvent,
}

/// What opening a session came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It is open.
    Yes {
        /// The sessions that had to make room.
        displaced: Vec<SessionId>,
        /// Whether the letter was written, because the device is a new one.
        is_noticed: bool,
    },
    /// The user was disabled, or signed out everywhere, since their password was checked.
    UserChanged,
}

impl Store {
    /// Opens a session, ending the user's oldest ones beyond the most. An account that was to be deleted stays, which is written
    /// down as `cancellation`. `notice` is for the person, where they have signed in before, and never from this device.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_session(
        &self,
        opening: &Opening,
        notice: &OutboxLetter,
        cancellation: AuditId,
    ) -> Result<Opened, StoreError> {
        let Opening { session, epoch, most, event, .. } = opening;
        retrying(|| async {
            let transaction = self.begin().await?;
            // Holds the user's row: two sign-ins at once cannot both be the last that fits.
            let Some(holder) = users::hold_unchanged(&transaction, session.user, *epoch).await? else {
                return Ok(Opened::UserChanged);
            };
            let displaced = sessions::oldest_beyond(&transaction, session.user, most.saturating_sub(1)).await?;
            if !displaced.is_empty() {
                let which = Condition::all().add(session::Column::Id.is_in(displaced.clone()));
                sessions::end(&transaction, which, event.at, EndReason::Displaced).await?;
            }
            let known_to = write(&transaction, opening).await?;
            if holder.is_leaving {
                deletion::keep(&transaction, session.user).await?;
                let kind = AuditKind::DeletionCancelled;
                let event = AuditEvent { id: cancellation, kind, ..event.clone() };
                audit::record(&transaction, &event).await?;
            }
            let seen = devices::see_renamed(&transaction, session.user, opening.sighting, event.at, &known_to).await?;
            let is_noticed = seen == Seen::Never;
            if is_noticed {
                outbox::enqueue(&transaction, notice).await?;
            }
            let displaced: Vec<SessionId> = displaced.into_iter().map(sessions::id).collect();
            let news: Vec<News> = displaced.iter().copied().map(News::SessionEnded).collect();
            feed::append(&transaction, event.id, event.at, &news).await?;
            transaction.commit().await?;
            Ok(Opened::Yes { displaced, is_noticed })
        })
        .await
    }
}

/// Writes down the session and the event, and under which number the device is known from now on, in one exchange. Says whom that
/// was known to.
async fn write(transaction: &Transaction, opening: &Opening) -> Result<Vec<QueryResult>, StoreError> {
    static KNOWN: Prepared = Prepared::new();
    static UNKNOWN: Prepared = Prepared::new();
    let Opening { session, event, sighting, .. } = opening;
    let backend = transaction.get_database_backend();
    let (opened, recorded) = (insert(backend, session, event)?, audit::insert(backend, event));
    let statement = match devices::rename(backend, session.user, *sighting, event.at) {
        Some(renamed) => KNOWN.together(backend, [opened, recorded, renamed]),
        None => UNKNOWN.together(backend, [opened, recorded]),
    };
    Ok(transaction.query_all_raw(statement).await?)
}

/// The statement that adds an open session.
pub(super) fn insert(backend: DbBackend, session: &Session, event: &AuditEvent) -> Result<Statement, StoreError> {
    static SESSION: Prepared = Prepared::new();
    Ok(SESSION.insert(backend, sessions::row(session, &event.by)?))
}
