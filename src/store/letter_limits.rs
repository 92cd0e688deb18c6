//! Allowances of letters, taken from in the transaction that writes the letter.

use sea_orm::{
    ActiveValue::Set,
    EntityTrait, TryInsertResult,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use uuid::Uuid;

use super::{StoreError, entity::letter_limit, patience::Transaction};
use crate::domain::{LetterLimit, Timestamp, UsedUntil, UserId};

/// Takes one letter of a user's allowance; `Err` with when there is another when it is used up. Of those who take at once no
/// more get one than there are.
pub(super) async fn take(
    transaction: &Transaction,
    user: UserId,
    limit: LetterLimit,
    now: Timestamp,
) -> Result<Result<(), UsedUntil>, StoreError> {
    use letter_limit::Column::{Kind, UsedUntil as Used, UserId as User};

    let (user, first) = (Uuid::from_bytes(*user.as_bytes()), (now + UsedUntil::STEP).unix_millis());
    let row =
        letter_limit::ActiveModel { user_id: Set(user), kind: Set(limit.as_str().to_owned()), used_until: Set(first) };
    let column = || Expr::col((letter_limit::Entity, Used));
    let step = i64::try_from(UsedUntil::STEP.as_millis()).unwrap_or(i64::MAX);
    let unused = column().lt(now.unix_millis());
    let further = OnConflict::columns([User, Kind])
        .value(Used, Expr::case(unused, first).finally(column().add(step)))
        .action_and_where(column().lte(UsedUntil::last_for(now).0.unix_millis()))
        .to_owned();
    let taken =
        letter_limit::Entity::insert(row).on_conflict(further).try_insert().exec_without_returning(transaction).await?;
    if matches!(taken, TryInsertResult::Inserted(count) if count > 0) {
        return Ok(Ok(()));
    }
    let row = letter_limit::Entity::find_by_id((user, limit.as_str().to_owned())).one(transaction).await?;
    Ok(Err(UsedUntil(row.map_or(now, |row| Timestamp::from_unix_millis(row.used_until)))))
}
