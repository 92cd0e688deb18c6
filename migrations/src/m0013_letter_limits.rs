//! How many letters of a kind somebody was sent lately, as one number: until when their allowance is used up.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let limits = Table::create()
            .table("letter_limits")
            .col(uuid("user_id"))
            .col(text("kind"))
            .col(big_integer("used_until"))
            .primary_key(Index::create().col("user_id").col("kind"))
            .foreign_key(
                ForeignKey::create()
                    .from("letter_limits", "user_id")
                    .to("users", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        manager.create_table(limits).await
    }
}
