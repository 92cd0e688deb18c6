//! The devices that somebody has signed in from before, by the random number in their cookie or token.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let devices = Table::create()
            .table("devices")
            .col(uuid("user_id"))
            .col(uuid("device_id"))
            .col(big_integer("first_seen_at"))
            .col(big_integer("last_seen_at"))
            .primary_key(Index::create().col("user_id").col("device_id"))
            .foreign_key(
                ForeignKey::create().from("devices", "user_id").to("users", "id").on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        manager.create_table(devices).await?;
        // Its number changes at every sign-in, for whomever it is known.
        let by_device = Index::create().name("devices_by_device").table("devices").col("device_id").to_owned();
        manager.create_index(by_device).await
    }
}
