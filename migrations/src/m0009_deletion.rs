//! When an account goes, and what its owner says of themselves until then.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer_null, text, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let deletion = Table::alter().table("users").add_column(big_integer_null("delete_after")).to_owned();
        manager.alter_table(deletion).await?;
        let due = Index::create().name("users_by_deletion").table("users").col("delete_after").to_owned();
        manager.create_index(due).await?;
        let metadata = Table::create()
            .table("user_metadata")
            .col(uuid("user_id"))
            .col(text("key"))
            .col(text("value"))
            .primary_key(Index::create().col("user_id").col("key"))
            .foreign_key(
                ForeignKey::create()
                    .from("user_metadata", "user_id")
                    .to("users", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        manager.create_table(metadata).await
    }
}
