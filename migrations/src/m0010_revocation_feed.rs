//! What was revoked, in the order in which it happened, and the counters that make that order.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, small_integer, text, uuid, uuid_null},
    sea_orm::DbBackend,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let feed = Table::create()
            .table("revocation_feed")
            .col(small_integer("part"))
            // Without gaps within a part.
            .col(big_integer("seq"))
            // Tells two histories of one number apart, where the database was set back.
            .col(uuid("entry_id"))
            .col(text("kind"))
            .col(uuid_null("subject"))
            .col(big_integer_null("epoch"))
            .col(big_integer("expires_at"))
            .primary_key(Index::create().col("part").col("seq"))
            .to_owned();
        manager.create_table(feed).await?;
        let head = Table::create()
            .table("feed_head")
            .col(small_integer("part").primary_key())
            .col(big_integer("seq"))
            .to_owned();
        manager.create_table(head).await?;
        // A counter is held until its transaction commits: SQLite writes one at a time anyway, PostgreSQL should not have to.
        let parts = if manager.get_database_backend() == DbBackend::Sqlite { 1 } else { 16 };
        let mut counters = Query::insert().into_table("feed_head").columns(["part", "seq"]).to_owned();
        for part in 0..parts {
            counters.values_panic([part.into(), 0.into()]);
        }
        manager.execute(counters).await
    }
}
