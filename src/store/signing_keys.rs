//! Signing keys: sealed before they get here.

use sea_orm::{ActiveValue::Set, EntityTrait, QueryOrder, TryInsertResult, sea_query::OnConflict};

use super::{Store, StoreError, entity::signing_key};
use crate::domain::{KeyId, KeyState, SealedKey, Timestamp};

impl Store {
    /// Every signing key, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn signing_keys(&self) -> Result<Vec<SealedKey>, StoreError> {
        let rows = signing_key::Entity::find().order_by_asc(signing_key::COLUMN.created_at).all(&self.read).await?;
        rows.into_iter().map(SealedKey::try_from).collect()
    }

    /// Adds a key; `false` when another node was first to add an active one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_signing_key(&self, key: &SealedKey) -> Result<bool, StoreError> {
        let row = signing_key::ActiveModel {
            id: Set(key.id.to_string()),
            public: Set(key.public.clone()),
            sealed: Set(key.sealed.clone()),
            state: Set(key.state.as_str().to_owned()),
            created_at: Set(key.created_at.unix_millis()),
        };
        let inserted = signing_key::Entity::insert(row)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .try_insert()
            .exec_without_returning(&self.write)
            .await?;
        Ok(matches!(inserted, TryInsertResult::Inserted(count) if count > 0))
    }
}

impl TryFrom<signing_key::Model> for SealedKey {
    type Error = StoreError;

    fn try_from(row: signing_key::Model) -> Result<Self, StoreError> {
        let state = KeyState::ALL.into_iter().find(|state| state.as_str() == row.state);
        Ok(Self {
            id: KeyId::from_paserk(row.id),
            public: row.public,
            sealed: row.sealed,
            state: state.ok_or(StoreError::Corrupt { table: "signing_keys", what: "state" })?,
            created_at: Timestamp::from_unix_millis(row.created_at),
        })
    }
}
