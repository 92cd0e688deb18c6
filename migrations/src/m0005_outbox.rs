//! Letters on their way out: written by the transaction that causes them, deleted once they are gone.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, text, text_null, uuid, uuid_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let outbox = Table::create()
            .table("outbox")
            .col(uuid("id").primary_key())
            .col(uuid_null("user_id"))
            .col(big_integer("created_at"))
            .col(text("sealed"))
            // When it is tried next; whoever tries it puts that off until after the end of the lease.
            .col(big_integer("due_at"))
            .col(uuid_null("lease"))
            .col(big_integer("attempts"))
            .col(text_null("failure"))
            // Since when it is not tried any more.
            .col(big_integer_null("dead_at"))
            .foreign_key(
                ForeignKey::create().from("outbox", "user_id").to("users", "id").on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        manager.create_table(outbox).await?;
        let by_due = Index::create().name("outbox_by_due").table("outbox").col("due_at").to_owned();
        manager.create_index(by_due).await?;
        // For the deletion of a user, who takes their letters along.
        let by_user = Index::create().name("outbox_by_user").table("outbox").col("user_id").to_owned();
        manager.create_index(by_user).await
    }
}
