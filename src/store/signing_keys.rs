//! Signing keys: sealed before they get here.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, TryInsertResult,
    sea_query::{Expr, OnConflict},
};

use super::{Store, StoreError, entity::signing_key, feed, patience::Transaction, retrying};
use crate::domain::{AuditId, KeyId, KeyState, News, SealedKey, Timestamp};

/// What revoking a key came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRevocation {
    /// It is worthless from now on.
    Done,
    /// It was already.
    Already,
    /// There is no such key.
    Unknown,
}

impl Store {
    /// Every signing key, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn signing_keys(&self) -> Result<Vec<SealedKey>, StoreError> {
        let rows = self.look(async |connection| {
            Ok(signing_key::Entity::find().order_by_asc(signing_key::COLUMN.created_at).all(&connection).await?)
        });
        let rows = rows.await?;
        rows.into_iter().map(SealedKey::try_from).collect()
    }

    /// Adds a key that nobody has to hear of; `false` when another node was first to add an active one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_signing_key(&self, key: &SealedKey) -> Result<bool, StoreError> {
        add(&self.write, key).await
    }

    /// Adds the next key, and tells every node; `false` when another node was first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn publish_signing_key(&self, next: &SealedKey, cause: AuditId) -> Result<bool, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            let is_new = add(&transaction, next).await?;
            if is_new {
                feed::append(&transaction, cause, next.created_at, &[News::KeysChanged]).await?;
            }
            transaction.commit().await?;
            Ok(is_new)
        })
        .await
    }

    /// Lets `next` sign in place of `active`, and tells every node; `false` when another node was first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn activate_signing_key(
        &self,
        next: &KeyId,
        active: &KeyId,
        cause: AuditId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            // In this order: there is never more than one that signs.
            let is_done = step(&transaction, active, KeyState::Active, KeyState::Retired, at).await?
                && step(&transaction, next, KeyState::Next, KeyState::Active, at).await?;
            if is_done {
                feed::append(&transaction, cause, at, &[News::KeysChanged]).await?;
                transaction.commit().await?;
            } else {
                transaction.rollback().await?;
            }
            Ok(is_done)
        })
        .await
    }

    /// Revokes a key, and tells every node. Where it was the one that signs, the next one does, or else `spare`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_signing_key(
        &self,
        key: &KeyId,
        spare: &SealedKey,
        cause: AuditId,
        at: Timestamp,
    ) -> Result<KeyRevocation, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            let keys = signing_key::Entity::find().lock_exclusive().all(&transaction).await?;
            let keys = keys.into_iter().map(SealedKey::try_from).collect::<Result<Vec<_>, _>>()?;
            let state = keys.iter().find(|stored| stored.id == *key).map(|stored| stored.state);
            let outcome = match state {
                None => KeyRevocation::Unknown,
                Some(KeyState::Revoked) => KeyRevocation::Already,
                Some(state) => {
                    step(&transaction, key, state, KeyState::Revoked, at).await?;
                    if state == KeyState::Active {
                        succeed(&transaction, &keys, spare, at).await?;
                    }
                    feed::append(&transaction, cause, at, &[News::KeysChanged]).await?;
                    KeyRevocation::Done
                }
            };
            transaction.commit().await?;
            Ok(outcome)
        })
        .await
    }
}

/// Somebody signs from now on: the next key, or the spare one.
async fn succeed(
    transaction: &Transaction,
    keys: &[SealedKey],
    spare: &SealedKey,
    at: Timestamp,
) -> Result<(), StoreError> {
    match keys.iter().find(|key| key.state == KeyState::Next) {
        Some(next) => step(transaction, &next.id, KeyState::Next, KeyState::Active, at).await.map(drop),
        None => add(transaction, spare).await.map(drop),
    }
}

/// Moves a key from one state to another; `false` when it was not in the first.
async fn step(
    transaction: &Transaction,
    key: &KeyId,
    from: KeyState,
    to: KeyState,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let moved = signing_key::Entity::update_many()
        .col_expr(signing_key::Column::State, Expr::value(to.as_str()))
        .col_expr(signing_key::Column::StateSince, Expr::value(at.unix_millis()))
        .filter(signing_key::Column::Id.eq(key.as_str()))
        .filter(signing_key::Column::State.eq(from.as_str()))
        .exec(transaction)
        .await?;
    Ok(moved.rows_affected > 0)
}

pub(super) async fn add(connection: &impl ConnectionTrait, key: &SealedKey) -> Result<bool, StoreError> {
    let row = signing_key::ActiveModel {
        id: Set(key.id.to_string()),
        public: Set(key.public.clone()),
        sealed: Set(key.sealed.clone()),
        state: Set(key.state.as_str().to_owned()),
        created_at: Set(key.created_at.unix_millis()),
        state_since: Set(key.since.unix_millis()),
    };
    let inserted = signing_key::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(connection)
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(count) if count > 0))
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
            since: Timestamp::from_unix_millis(row.state_since),
        })
    }
}
