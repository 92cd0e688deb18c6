//! Table `signing_keys`.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub id: String,
    #[sea_orm(column_type = "Text")]
    pub public: String,
    #[sea_orm(column_type = "Text")]
    pub sealed: String,
    #[sea_orm(column_type = "Text")]
    pub state: String,
    pub created_at: i64,
    pub state_since: i64,
}

impl ActiveModelBehavior for ActiveModel {}
