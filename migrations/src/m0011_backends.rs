//! Other services that may ask about tokens.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, binary_len, text, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backends = Table::create()
            .table("backends")
            .col(uuid("id").primary_key())
            // Never given again, so that it means one service in every log.
            .col(text("name").unique_key())
            // SHA-256 of a secret of 32 random bytes.
            .col(binary_len("digest", 32))
            // Separated by single spaces, sorted.
            .col(text("audiences"))
            .col(big_integer("created_at"))
            .col(big_integer_null("revoked_at"))
            .to_owned();
        manager.create_table(backends).await
    }
}
