//! Since when a signing key is in its state.

use sea_orm_migration::{prelude::*, schema::big_integer};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let since = Table::alter().table("signing_keys").add_column(big_integer("state_since").default(0)).to_owned();
        manager.alter_table(since).await?;
        let as_of_creation =
            Query::update().table("signing_keys").value("state_since", Expr::col("created_at")).to_owned();
        manager.execute(as_of_creation).await?;
        // Nodes that rotate together may each make the next key: one of them wins.
        let one_next = Index::create()
            .name("signing_keys_one_next")
            .table("signing_keys")
            .col("state")
            .unique()
            .and_where(Expr::col("state").eq("next"))
            .to_owned();
        manager.create_index(one_next).await
    }
}
