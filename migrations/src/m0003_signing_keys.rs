//! What access tokens are signed with, sealed under the master key.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let keys = Table::create()
            .table("signing_keys")
            // The PASERK id.
            .col(text("id").primary_key())
            .col(text("public"))
            .col(text("sealed"))
            .col(text("state"))
            .col(big_integer("created_at"))
            .to_owned();
        manager.create_table(keys).await?;
        // Nodes that start together may each make the first key: one of them wins.
        let one_active = Index::create()
            .name("signing_keys_one_active")
            .table("signing_keys")
            .col("state")
            .unique()
            .and_where(Expr::col("state").eq("active"))
            .to_owned();
        manager.create_index(one_active).await
    }
}
