//! Finds the open sessions of a user past those that ended: whoever signs in each minute leaves 43,200 in a month, and every
//! sign-in looked at all of them.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let old = Index::drop().name("sessions_by_user").table("sessions").to_owned();
        manager.drop_index(old).await?;
        let by_user = Index::create()
            .name("sessions_by_user")
            .table("sessions")
            .col("user_id")
            .col("ended_at")
            .col("authenticated_at")
            .to_owned();
        manager.create_index(by_user).await
    }
}
