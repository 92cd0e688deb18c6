//! Table `revocation_feed`.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revocation_feed")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub part: i16,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub entry_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    pub subject: Option<Uuid>,
    pub epoch: Option<i64>,
    pub expires_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
