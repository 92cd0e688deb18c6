//! What letters to a person are written in.

use sea_orm_migration::{prelude::*, schema::text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let users = Table::alter().table("users").add_column(text("locale").default("en")).to_owned();
        manager.alter_table(users).await
    }
}
