//! Other services that may ask about tokens.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, TryInsertResult,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{Store, StoreError, entity::backend, feed, retrying};
use crate::domain::{Audience, AuditId, BackendDigest, BackendId, BackendName, News, RegisteredBackend, Timestamp};

impl Store {
    /// Every service that was ever let in, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn backends(&self) -> Result<Vec<RegisteredBackend>, StoreError> {
        let rows = self.look(async |connection| {
            Ok(backend::Entity::find().order_by_asc(backend::Column::CreatedAt).all(&connection).await?)
        });
        let rows = rows.await?;
        rows.into_iter().map(RegisteredBackend::try_from).collect()
    }

    /// Lets a service in; `false` when the name was given before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_backend(&self, backend: &RegisteredBackend, cause: AuditId) -> Result<bool, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            let inserted = backend::Entity::insert(row(backend))
                .on_conflict(OnConflict::column(backend::Column::Name).do_nothing().to_owned())
                .try_insert()
                .exec_without_returning(&transaction)
                .await?;
            let is_new = matches!(inserted, TryInsertResult::Inserted(count) if count > 0);
            if is_new {
                feed::append(&transaction, cause, backend.created_at, &[News::BackendsChanged]).await?;
            }
            transaction.commit().await?;
            Ok(is_new)
        })
        .await
    }

    /// Shuts a service out; `false` when there is none of that name, or it is out already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_backend(&self, name: &BackendName, at: Timestamp, cause: AuditId) -> Result<bool, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            let revoked = backend::Entity::update_many()
                .col_expr(backend::Column::RevokedAt, Expr::value(at.unix_millis()))
                .filter(backend::Column::Name.eq(name.as_str()))
                .filter(backend::Column::RevokedAt.is_null())
                .exec(&transaction)
                .await?;
            if revoked.rows_affected > 0 {
                feed::append(&transaction, cause, at, &[News::BackendsChanged]).await?;
            }
            transaction.commit().await?;
            Ok(revoked.rows_affected > 0)
        })
        .await
    }
}

fn row(backend: &RegisteredBackend) -> backend::ActiveModel {
    let audiences: Vec<&str> = backend.audiences.iter().map(Audience::as_str).collect();
    backend::ActiveModel {
        id: Set(Uuid::from_bytes(*backend.id.as_bytes())),
        name: Set(backend.name.to_string()),
        digest: Set(backend.digest.as_bytes().to_vec()),
        audiences: Set(audiences.join(" ")),
        created_at: Set(backend.created_at.unix_millis()),
        revoked_at: Set(backend.revoked_at.map(Timestamp::unix_millis)),
        is_edge: Set(backend.is_edge),
    }
}

impl TryFrom<backend::Model> for RegisteredBackend {
    type Error = StoreError;

    fn try_from(row: backend::Model) -> Result<Self, StoreError> {
        let corrupt = |what| StoreError::Corrupt { table: "backends", what };
        let audiences: Result<Vec<Audience>, _> = row.audiences.split(' ').map(str::parse).collect();
        Ok(Self {
            id: BackendId::from_bytes(row.id.into_bytes()),
            name: row.name.parse().map_err(|_| corrupt("name"))?,
            digest: BackendDigest::from_bytes(row.digest.try_into().map_err(|_| corrupt("digest"))?),
            audiences: audiences.map_err(|_| corrupt("audiences"))?,
            is_edge: row.is_edge,
            created_at: Timestamp::from_unix_millis(row.created_at),
            revoked_at: row.revoked_at.map(Timestamp::from_unix_millis),
        })
    }
}
