//! Table `backends`.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "backends")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "Text", unique)]
    pub name: String,
    pub digest: Vec<u8>,
    #[sea_orm(column_type = "Text")]
    pub audiences: String,
    pub created_at: i64,
    pub revoked_at: Option<i64>,
    pub is_edge: bool,
}

impl ActiveModelBehavior for ActiveModel {}
