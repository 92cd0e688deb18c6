//! Nobody looks for sessions by their end any more: the sweep reads them in the order of their ids, and to keep the index cost each
//! sign-in and each end.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("sessions_by_end").table("sessions").to_owned()).await
    }
}
