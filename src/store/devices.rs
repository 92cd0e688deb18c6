//! The devices that people have signed in from before.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait as _, DbBackend, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QueryResult, QuerySelect, QueryTrait as _, Statement, StatementBuilder, sea_query::Expr,
};
use uuid::Uuid;

use super::{StoreError, entity::device, patience::Transaction, prepared::Prepared};
use crate::domain::{DeviceId, Sighting, Timestamp, UserId};

/// The most that are remembered of one person: whoever signs in without saying from where adds one each time.
const MOST: u64 = 50;

/// Whether a person has signed in from a device before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// They have.
    Before,
    /// Not from this one.
    Never,
    /// From none at all.
    FirstOfAll,
}

/// Remembers a device under its new number, and says whether it was known. Whoever else signs in with it knows it by that
/// number too. The person's row is held.
pub(super) async fn see(
    transaction: &Transaction,
    user: UserId,
    sighting: Sighting,
    now: Timestamp,
) -> Result<Seen, StoreError> {
    let known_to = match rename(transaction.get_database_backend(), user, sighting, now) {
        Some(rename) => transaction.query_all_raw(rename).await?,
        None => Vec::new(),
    };
    see_renamed(transaction, user, sighting, now, &known_to).await
}

/// The same after [`rename`] has found to whom the device is known.
pub(super) async fn see_renamed(
    transaction: &Transaction,
    user: UserId,
    sighting: Sighting,
    now: Timestamp,
    known_to: &[QueryResult],
) -> Result<Seen, StoreError> {
    let known_to: Vec<Uuid> = known_to.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
    if known_to.contains(&person(user)) {
        return Ok(Seen::Before);
    }
    let others = device::Entity::find().filter(device::Column::UserId.eq(person(user))).count(transaction).await?;
    if others >= MOST {
        forget_oldest(transaction, user).await?;
    }
    let row = device::ActiveModel {
        user_id: Set(person(user)),
        device_id: Set(uuid(sighting.named)),
        first_seen_at: Set(now.unix_millis()),
        last_seen_at: Set(now.unix_millis()),
    };
    device::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(if others == 0 { Seen::FirstOfAll } else { Seen::Never })
}

/// Gives a device that presents itself its new number, says that this person was seen at it, and finds whom it is known to.
pub(super) fn rename(backend: DbBackend, user: UserId, sighting: Sighting, now: Timestamp) -> Option<Statement> {
    static RENAME: Prepared = Prepared::new();
    let (user, now) = (person(user), now.unix_millis());
    let (presented, named) = (uuid(sighting.presented?), uuid(sighting.named));
    Some(RENAME.with(backend, [named.into(), user.into(), now.into(), presented.into()], || {
        let seen_at = Expr::case(device::Column::UserId.eq(user), now).finally(Expr::col(device::Column::LastSeenAt));
        let mut update = device::Entity::update_many()
            .col_expr(device::Column::DeviceId, Expr::value(named))
            .col_expr(device::Column::LastSeenAt, seen_at.into())
            .filter(device::Column::DeviceId.eq(presented))
            .into_query();
        StatementBuilder::build(update.returning_col(device::Column::UserId), &backend)
    }))
}

/// Forgets a person's devices, but for the one that is called so.
pub(super) async fn forget_others(
    transaction: &Transaction,
    user: UserId,
    kept: Option<DeviceId>,
) -> Result<(), StoreError> {
    let mut forgotten = device::Entity::delete_many().filter(device::Column::UserId.eq(person(user)));
    if let Some(kept) = kept {
        forgotten = forgotten.filter(device::Column::DeviceId.ne(uuid(kept)));
    }
    forgotten.exec(transaction).await?;
    Ok(())
}

async fn forget_oldest(transaction: &Transaction, user: UserId) -> Result<(), StoreError> {
    let oldest: Vec<Uuid> = device::Entity::find()
        .select_only()
        .column(device::Column::DeviceId)
        .filter(device::Column::UserId.eq(person(user)))
        .order_by_desc(device::Column::LastSeenAt)
        .order_by_desc(device::Column::DeviceId)
        .offset(MOST - 1)
        // SQLite has no OFFSET without a LIMIT.
        .limit(u64::from(u32::MAX))
        .into_tuple()
        .all(transaction)
        .await?;
    device::Entity::delete_many()
        .filter(device::Column::UserId.eq(person(user)))
        .filter(device::Column::DeviceId.is_in(oldest))
        .exec(transaction)
        .await?;
    Ok(())
}

fn uuid(device: DeviceId) -> Uuid {
    Uuid::from_bytes(*device.as_bytes())
}

fn person(user: UserId) -> Uuid {
    Uuid::from_bytes(*user.as_bytes())
}
