//! A sign-in as one row for SQLite, which does what PostgreSQL does in one statement when it is added to this view. Where anything
//! speaks against it, it is refused with a text of its own and nothing is done.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const SIGN_INS: &str = "\
    CREATE VIEW sign_ins AS SELECT \
        NULL AS user_id, NULL AS epoch, NULL AS device_id, NULL AS seen_at, NULL AS known_device_id, NULL AS most_sessions, \
        NULL AS session_id, NULL AS session_user_id, NULL AS salt, NULL AS generation, NULL AS rotated_at, \
        NULL AS authenticated_at, NULL AS idle_expires_at, NULL AS expires_at, NULL AS ended_at, NULL AS end_reason, \
        NULL AS session_address, NULL AS session_user_agent, \
        NULL AS event_id, NULL AS event_at, NULL AS event_kind, NULL AS event_user_id, NULL AS event_session_id, \
        NULL AS event_address, NULL AS event_user_agent; \
    CREATE TRIGGER sign_in INSTEAD OF INSERT ON sign_ins BEGIN \
        SELECT RAISE(ABORT, 'step by step') WHERE \
            NOT EXISTS (SELECT 1 FROM users WHERE id = NEW.user_id AND epoch = NEW.epoch \
                        AND disabled_at IS NULL AND delete_after IS NULL) \
            OR NOT EXISTS (SELECT 1 FROM devices WHERE user_id = NEW.user_id AND device_id = NEW.known_device_id) \
            OR (SELECT count(*) FROM sessions WHERE user_id = NEW.user_id AND ended_at IS NULL) >= NEW.most_sessions; \
        UPDATE devices SET device_id = NEW.device_id, \
            last_seen_at = CASE WHEN user_id = NEW.user_id THEN NEW.seen_at ELSE last_seen_at END \
            WHERE device_id = NEW.known_device_id; \
        INSERT INTO audit_events (id, at, kind, user_id, session_id, address, user_agent) \
            VALUES (NEW.event_id, NEW.event_at, NEW.event_kind, NEW.event_user_id, NEW.event_session_id, \
                    NEW.event_address, NEW.event_user_agent); \
        INSERT INTO sessions (id, user_id, salt, generation, rotated_at, authenticated_at, idle_expires_at, expires_at, \
                              ended_at, end_reason, address, user_agent) \
            VALUES (NEW.session_id, NEW.session_user_id, NEW.salt, NEW.generation, NEW.rotated_at, NEW.authenticated_at, \
                    NEW.idle_expires_at, NEW.expires_at, NEW.ended_at, NEW.end_reason, NEW.session_address, \
                    NEW.session_user_agent); \
    END";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DbBackend::Postgres => Ok(()),
            _ => manager.get_connection().execute_unprepared(SIGN_INS).await.map(drop),
        }
    }
}
