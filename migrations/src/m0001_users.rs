//! People with accounts.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, text, text_null, uuid},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let users = Table::create()
            .table("users")
            .col(uuid("id").primary_key())
            .col(text("email"))
            .col(text("email_key").unique_key())
            .col(big_integer_null("email_verified_at"))
            .col(text("display_name"))
            .col(text_null("password_hash"))
            // Names separated by single spaces, sorted.
            .col(text("roles"))
            .col(big_integer("epoch"))
            .col(big_integer_null("disabled_at"))
            .col(big_integer("created_at"))
            .to_owned();
        manager.create_table(users).await
    }
}
