//! What people say of themselves.

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use uuid::Uuid;

use super::{Store, StoreError, audit, entity::user, entity::user_metadata, retrying, users};
use crate::domain::{AuditEvent, DisplayName, Locale, Metadata, UserEpoch, UserId};

/// What is to be different; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ProfileUpdate {
    /// What the person is called.
    pub display_name: Option<DisplayName>,
    /// What letters to them are written in.
    pub locale: Option<Locale>,
    /// What apps keep for them, all of it.
    pub metadata: Option<Metadata>,
}

impl Store {
    /// Changes a profile; `false` when the user is not any more what they were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn update_profile(
        &self,
        epoch: UserEpoch,
        update: &ProfileUpdate,
        event: &AuditEvent,
    ) -> Result<bool, StoreError> {
        let id = uuid(event.user);
        retrying(|| async {
            let transaction = self.begin().await?;
            if !users::is_unchanged(&transaction, event.user, epoch).await? {
                return Ok(false);
            }
            let fields = [
                (user::Column::DisplayName, update.display_name.as_ref().map(DisplayName::as_str)),
                (user::Column::Locale, update.locale.map(Locale::as_str)),
            ];
            for (column, value) in fields {
                let Some(value) = value else { continue };
                let change = user::Entity::update_many().col_expr(column, Expr::value(value));
                change.filter(user::Column::Id.eq(id)).exec(&transaction).await?;
            }
            if let Some(metadata) = &update.metadata {
                let old = user_metadata::Entity::delete_many().filter(user_metadata::Column::UserId.eq(id));
                old.exec(&transaction).await?;
                let rows = metadata.iter().map(|(key, value)| user_metadata::ActiveModel {
                    user_id: Set(id),
                    key: Set(key.to_owned()),
                    value: Set(value.to_owned()),
                });
                let rows: Vec<_> = rows.collect();
                if !rows.is_empty() {
                    user_metadata::Entity::insert_many(rows).exec_without_returning(&transaction).await?;
                }
            }
            audit::record(&transaction, event).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    /// What apps keep for a person.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn metadata(&self, user: UserId) -> Result<Metadata, StoreError> {
        metadata(&self.read, user).await
    }
}

pub(super) async fn metadata(connection: &impl ConnectionTrait, user: UserId) -> Result<Metadata, StoreError> {
    let of_user = user_metadata::Column::UserId.eq(uuid(user));
    let rows = user_metadata::Entity::find().filter(of_user).all(connection).await?;
    let corrupt = |_| StoreError::Corrupt { table: "user_metadata", what: "key or value" };
    Metadata::parse(rows.into_iter().map(|row| (row.key, row.value))).map_err(corrupt)
}

fn uuid(user: UserId) -> Uuid {
    Uuid::from_bytes(*user.as_bytes())
}
