//! Opening sessions in one statement, where all is as at most sign-ins: the person is as they were, knows the device, and has room
//! for one more. Otherwise nothing is done, and `sign_in` does it step by step.

use std::sync::LazyLock;

use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, RuntimeErr, Statement, Value, Values};
use uuid::Uuid;

use super::{
    Opening, Store, StoreError, audit,
    entity::{audit_event, session},
    prepared::{insert_for_each, values},
    retrying, sessions,
};

/// So many values come before those of the session.
const BEFORE_SESSION: usize = 6;
/// So many before those of the event,
const BEFORE_EVENT: usize = BEFORE_SESSION + 12;
/// and so many there are.
const VALUES: usize = BEFORE_EVENT + 7;

/// The person, if they are as they were and stay here. On PostgreSQL that holds their row.
const UNCHANGED: &str =
    "SELECT id FROM users WHERE id = $1 AND epoch = $2 AND disabled_at IS NULL AND delete_after IS NULL";
/// Gives the device its new number, wherever it is known, if it is known to them.
const RENAME: &str = "UPDATE devices SET device_id = $3, \
     last_seen_at = CASE WHEN user_id = $1 THEN $4 ELSE last_seen_at END WHERE device_id = $5 \
     AND EXISTS (SELECT 1 FROM devices WHERE user_id = $1 AND device_id = $5)";

/// All of it sees the rows as they were when it began, and it may have waited for the person since: only the function looks again,
/// so that two sign-ins at once cannot both be the last that fits.
static POSTGRES: LazyLock<String> = LazyLock::new(|| {
    let renamed = "(SELECT 1 FROM renamed WHERE user_id = $1) AS known";
    let open = insert_for_each::<session::Entity>(BEFORE_SESSION + 1, renamed);
    let record = insert_for_each::<audit_event::Entity>(BEFORE_EVENT + 1, renamed);
    format!(
        "WITH held AS ({UNCHANGED} FOR UPDATE), renamed AS ({RENAME} \
         AND EXISTS (SELECT 1 FROM held WHERE open_sessions(id) < $6) RETURNING user_id), \
         recorded AS ({record}) {open}"
    )
});

/// A row of a view, and what a trigger makes of it (`m0018_sign_ins`), which does the same.
static SQLITE: LazyLock<String> = LazyLock::new(|| {
    let values: Vec<_> = (1..=VALUES).map(|number| format!("${number}")).collect();
    format!("INSERT INTO sign_ins VALUES ({})", values.join(", "))
});
/// What the trigger says where anything speaks against it, and what SQLite calls that (`SQLITE_CONSTRAINT_TRIGGER`).
const STEP_BY_STEP: (&str, &str) = ("1811", "step by step");

impl Store {
    /// Opens a session if the user is as they were when their password was checked, stays, signs in from a device that they
    /// have signed in from before, and has fewer open sessions than the most. Otherwise changes nothing and says `false`:
    /// [`Store::open_session`] knows what then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_session_at_once(&self, opening: &Opening) -> Result<bool, StoreError> {
        let Opening { session, epoch, most, sighting, event, .. } = opening;
        let Some(presented) = sighting.presented else { return Ok(false) };
        let backend = self.write.get_database_backend();
        let text = match backend {
            DbBackend::Postgres => &POSTGRES,
            _ => &SQLITE,
        };
        let mut all: Vec<Value> = vec![
            Uuid::from_bytes(*session.user.as_bytes()).into(),
            epoch.count().into(),
            Uuid::from_bytes(*sighting.named.as_bytes()).into(),
            event.at.unix_millis().into(),
            Uuid::from_bytes(*presented.as_bytes()).into(),
            i64::from(*most).into(),
        ];
        debug_assert_eq!(all.len(), BEFORE_SESSION);
        all.extend(values(&sessions::row(session, &event.by)?));
        debug_assert_eq!(all.len(), BEFORE_EVENT);
        all.extend(values(&audit::row(event)));
        debug_assert_eq!(all.len(), VALUES);
        let statement = Statement { sql: String::clone(text), values: Some(Values(all)), db_backend: backend };
        retrying(|| async {
            let mut lease = self.write.lease().await?;
            let is_open = match lease.execute(statement.clone()).await {
                // Of what is added to a view SQLite counts nothing.
                Ok(added) => added > 0 || backend == DbBackend::Sqlite,
                Err(error) if is_step_by_step(&error) => false,
                Err(error) => return Err(error.into()),
            };
            lease.keep();
            Ok(is_open)
        })
        .await
    }
}

fn is_step_by_step(error: &DbErr) -> bool {
    let DbErr::Query(RuntimeErr::SqlxError(cause)) = error else { return false };
    let said = cause.as_database_error().map(|said| (said.code(), said.message()));
    said.is_some_and(|(code, message)| (code.as_deref(), message) == (Some(STEP_BY_STEP.0), STEP_BY_STEP.1))
}
