//! Which of the services that are let in are edges, and may know the others.

use sea_orm_migration::{prelude::*, schema::boolean};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let edges = Table::alter().table("backends").add_column(boolean("is_edge").default(false)).to_owned();
        manager.alter_table(edges).await
    }
}
