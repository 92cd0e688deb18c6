//! Table `outbox`.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Option<Uuid>,
    pub created_at: i64,
    #[sea_orm(column_type = "Text")]
    pub sealed: String,
    pub due_at: i64,
    pub lease: Option<Uuid>,
    pub attempts: i64,
    #[sea_orm(column_type = "Text", nullable)]
    pub failure: Option<String>,
    pub dead_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
