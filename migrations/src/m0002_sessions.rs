//! Sign-ins that last: one row each, however often they are refreshed.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, binary_len, text, text_null, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sessions = Table::create()
            .table("sessions")
            .col(uuid("id").primary_key())
            .col(uuid("user_id"))
            .col(binary_len("salt", 32))
            .col(big_integer("generation"))
            .col(big_integer("rotated_at"))
            .col(big_integer("authenticated_at"))
            .col(big_integer("idle_expires_at"))
            .col(big_integer("expires_at"))
            .col(big_integer_null("ended_at"))
            .col(text_null("end_reason"))
            .col(text_null("address"))
            .col(text("user_agent"))
            .foreign_key(
                ForeignKey::create().from("sessions", "user_id").to("users", "id").on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        manager.create_table(sessions).await?;
        let by_user = Index::create()
            .name("sessions_by_user")
            .table("sessions")
            .col("user_id")
            .col("authenticated_at")
            .to_owned();
        manager.create_index(by_user).await?;
        let by_end = Index::create().name("sessions_by_end").table("sessions").col("ended_at").to_owned();
        manager.create_index(by_end).await
    }
}
