//! What happened. Without foreign keys: an entry outlives what it tells of.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text, text_null, uuid, uuid_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let events = Table::create()
            .table("audit_events")
            .col(uuid("id").primary_key())
            .col(big_integer("at"))
            .col(text("kind"))
            .col(uuid("user_id"))
            .col(uuid_null("session_id"))
            .col(text_null("address"))
            .col(text("user_agent"))
            .to_owned();
        manager.create_table(events).await?;
        let by_user =
            Index::create().name("audit_events_by_user").table("audit_events").col("user_id").col("at").to_owned();
        manager.create_index(by_user).await
    }
}
