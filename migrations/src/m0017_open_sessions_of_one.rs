//! Counts a person's open sessions as they are when it is asked, not as they were when the statement that asks began: of two
//! sign-ins that wait for each other, the second sees the first. SQLite has one writer at a time, and needs none.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const OPEN_SESSIONS: &str = "\
    CREATE FUNCTION open_sessions(person uuid) RETURNS bigint LANGUAGE sql VOLATILE \
    AS 'SELECT count(*) FROM sessions WHERE user_id = person AND ended_at IS NULL'";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DbBackend::Postgres => manager.get_connection().execute_unprepared(OPEN_SESSIONS).await.map(drop),
            _ => Ok(()),
        }
    }
}
