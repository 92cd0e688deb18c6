//! One-time codes: one live one for each person and purpose, of which only keyed digests are kept.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, binary_len, text, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let codes = Table::create()
            .table("codes")
            .col(uuid("user_id"))
            .col(text("purpose"))
            // Where it was sent.
            .col(text("email"))
            .col(binary_len("token_digest", 32).unique_key())
            .col(binary_len("digits_digest", 32))
            .col(big_integer("tries"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .primary_key(Index::create().col("user_id").col("purpose"))
            .foreign_key(
                ForeignKey::create().from("codes", "user_id").to("users", "id").on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        manager.create_table(codes).await
    }
}
