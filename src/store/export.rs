//! All that is stored of one person.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{
    Store, StoreError,
    entity::{audit_event, code, device, session},
    sessions,
};
use crate::domain::{Code, Device, Session, SessionId, Timestamp, UserId};

/// More would not fit into an answer.
const MOST_EVENTS: u64 = 500;

/// All that is stored of one person beside their profile; of secrets, that there are some.
#[derive(Debug, Clone)]
pub struct Belongings {
    /// Every session that has not been forgotten yet, and where it was opened.
    pub sessions: Vec<(Session, Device)>,
    /// When each device that they have signed in from was first and last seen.
    pub devices: Vec<(Timestamp, Timestamp)>,
    /// The codes that are on their way to them.
    pub codes: Vec<Code>,
    /// What happened, the latest first, and no more than the last 500.
    pub events: Vec<PastEvent>,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct PastEvent {
    /// When.
    pub at: Timestamp,
    /// What, as it is stored.
    pub kind: String,
    /// In or to which session.
    pub session: Option<SessionId>,
    /// From which address.
    pub address: Option<String>,
    /// With what.
    pub user_agent: String,
}

impl Store {
    /// All that is stored of a person beside their profile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn belongings(&self, user: UserId) -> Result<Belongings, StoreError> {
        let id = Uuid::from_bytes(*user.as_bytes());
        let opened = session::Entity::find().filter(session::Column::UserId.eq(id));
        let opened = opened.order_by_desc(session::Column::Id).all(&self.read).await?;
        let devices = device::Entity::find().filter(device::Column::UserId.eq(id));
        let devices = devices.order_by_desc(device::Column::LastSeenAt).all(&self.read).await?;
        let codes = code::Entity::find().filter(code::Column::UserId.eq(id)).all(&self.read).await?;
        let events = audit_event::Entity::find()
            .filter(audit_event::Column::UserId.eq(id))
            .order_by_desc(audit_event::Column::At)
            .order_by_desc(audit_event::Column::Id)
            .limit(MOST_EVENTS)
            .all(&self.read)
            .await?;
        let with_device = |row: session::Model| Ok((Session::try_from(row.clone())?, sessions::device(row)?));
        let moment = Timestamp::from_unix_millis;
        Ok(Belongings {
            sessions: opened.into_iter().map(with_device).collect::<Result<_, StoreError>>()?,
            devices: devices.iter().map(|row| (moment(row.first_seen_at), moment(row.last_seen_at))).collect(),
            codes: codes.into_iter().map(Code::try_from).collect::<Result<_, _>>()?,
            events: events.into_iter().map(PastEvent::from).collect(),
        })
    }
}

impl From<audit_event::Model> for PastEvent {
    fn from(row: audit_event::Model) -> Self {
        Self {
            at: Timestamp::from_unix_millis(row.at),
            kind: row.kind,
            session: row.session_id.map(sessions::id),
            address: row.address,
            user_agent: row.user_agent,
        }
    }
}
