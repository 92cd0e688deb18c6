//! Letters on their way out: written with their cause, taken by one sender at a time, deleted once they are gone.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use super::{Store, StoreError, entity::outbox, letter_limits, patience::Transaction, retrying};
use crate::domain::{LeaseId, LetterId, LetterLimit, OutboxLetter, SealedLetter, Timestamp, UserId};

/// How many letters are looked at together: more than there are nodes that want one at the same moment.
const CANDIDATES: u64 = 16;

/// A letter that nobody else tries to send until the lease on it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    /// What to send.
    pub letter: OutboxLetter,
    /// How often it was tried, with this time.
    pub attempts: u32,
    /// Whose it is.
    pub lease: LeaseId,
}

/// Where a letter stands, for whoever looks after the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterState {
    /// The letter.
    pub id: LetterId,
    /// When it was written.
    pub at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong the last time.
    pub failure: Option<String>,
    /// Whether it is not tried any more.
    pub is_dead: bool,
}

impl Store {
    /// Writes a letter or an errand that nothing else goes with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn post(&self, letter: &OutboxLetter) -> Result<(), StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            enqueue(&transaction, letter).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }

    /// Takes the letter that is due for longest. Of several nodes that do so at once each gets another; whoever dies with one
    /// leaves it to the rest from `until` on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_letter(
        &self,
        lease: LeaseId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Leased>, StoreError> {
        let due = outbox::Column::DueAt.lte(now.unix_millis()).and(outbox::Column::DeadAt.is_null());
        loop {
            let candidates: Vec<Uuid> = outbox::Entity::find()
                .select_only()
                .column(outbox::Column::Id)
                .filter(due.clone())
                .order_by_asc(outbox::Column::DueAt)
                .limit(CANDIDATES)
                .into_tuple()
                .all(&self.read)
                .await?;
            if candidates.is_empty() {
                return Ok(None);
            }
            for candidate in candidates {
                let taking = outbox::Entity::update_many()
                    .col_expr(outbox::Column::Lease, Expr::value(uuid(lease)))
                    .col_expr(outbox::Column::DueAt, Expr::value(until.unix_millis()))
                    .col_expr(outbox::Column::Attempts, Expr::col(outbox::Column::Attempts).add(1))
                    .filter(outbox::Column::Id.eq(candidate))
                    // Looked at again under the row's lock: who comes second finds it put off.
                    .filter(due.clone());
                if retrying(|| async { Ok(taking.clone().exec(&self.write).await?) }).await?.rows_affected > 0 {
                    let row = outbox::Entity::find_by_id(candidate).one(&self.write).await?;
                    // Or its user was deleted, and it with them.
                    if let Some(row) = row {
                        return Ok(Some(leased(row, lease)));
                    }
                }
            }
        }
    }

    /// Deletes a letter that has left, whoever holds it now: it need not leave again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_letter(&self, letter: LetterId) -> Result<(), StoreError> {
        retrying(|| async {
            outbox::Entity::delete_by_id(Uuid::from_bytes(*letter.as_bytes())).exec(&self.write).await?;
            Ok(())
        })
        .await
    }

    /// Deletes an errand that leads to nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_errand(&self, errand: &Leased) -> Result<(), StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            finish(&transaction, errand).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }

    /// Does an errand with a letter to whom it is about, unless somebody else does it, or they have got too many lately;
    /// `false` for the latter.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answer_errand(
        &self,
        errand: &Leased,
        letter: &OutboxLetter,
        to: UserId,
        limit: LetterLimit,
    ) -> Result<bool, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            let mut may = true;
            if finish(&transaction, errand).await? {
                may = letter_limits::take(&transaction, to, limit, letter.at).await?.is_ok();
                if may {
                    enqueue(&transaction, letter).await?;
                }
            }
            transaction.commit().await?;
            Ok(may)
        })
        .await
    }

    /// Gives a letter back until it is `due` again, saying what went wrong.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn postpone_letter(&self, leased: &Leased, due: Timestamp, failure: &str) -> Result<(), StoreError> {
        retrying(|| async {
            held(leased)
                .col_expr(outbox::Column::Lease, Expr::value(Option::<Uuid>::None))
                .col_expr(outbox::Column::DueAt, Expr::value(due.unix_millis()))
                .col_expr(outbox::Column::Failure, Expr::value(failure))
                .exec(&self.write)
                .await?;
            Ok(())
        })
        .await
    }

    /// Gives a letter up, saying what went wrong: it stays where it is, and is not tried again unless somebody says so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bury_letter(&self, leased: &Leased, now: Timestamp, failure: &str) -> Result<(), StoreError> {
        retrying(|| async {
            held(leased)
                .col_expr(outbox::Column::Lease, Expr::value(Option::<Uuid>::None))
                .col_expr(outbox::Column::DeadAt, Expr::value(now.unix_millis()))
                .col_expr(outbox::Column::Failure, Expr::value(failure))
                .exec(&self.write)
                .await?;
            Ok(())
        })
        .await
    }

    /// Every letter that has not left, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn letters(&self) -> Result<Vec<LetterState>, StoreError> {
        let rows = outbox::Entity::find().order_by_asc(outbox::Column::CreatedAt).all(&self.read).await?;
        let state = |row: outbox::Model| LetterState {
            id: LetterId::from_bytes(row.id.into_bytes()),
            at: Timestamp::from_unix_millis(row.created_at),
            attempts: count(row.attempts),
            failure: row.failure,
            is_dead: row.dead_at.is_some(),
        };
        Ok(rows.into_iter().map(state).collect())
    }

    /// Has a letter that was given up be tried again, or all of them, and says how many that are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revive_letters(&self, letter: Option<LetterId>, now: Timestamp) -> Result<u64, StoreError> {
        retrying(|| async {
            let mut revive = outbox::Entity::update_many()
                .col_expr(outbox::Column::DeadAt, Expr::value(Option::<i64>::None))
                .col_expr(outbox::Column::DueAt, Expr::value(now.unix_millis()))
                .filter(outbox::Column::DeadAt.is_not_null());
            if let Some(letter) = letter {
                revive = revive.filter(outbox::Column::Id.eq(Uuid::from_bytes(*letter.as_bytes())));
            }
            Ok(revive.exec(&self.write).await?.rows_affected)
        })
        .await
    }
}

/// Writes a letter in the transaction of its cause: either both are there, or neither.
pub(super) async fn enqueue(transaction: &Transaction, letter: &OutboxLetter) -> Result<(), StoreError> {
    let row = outbox::ActiveModel {
        id: Set(Uuid::from_bytes(*letter.id.as_bytes())),
        user_id: Set(letter.user.map(|user| Uuid::from_bytes(*user.as_bytes()))),
        created_at: Set(letter.at.unix_millis()),
        sealed: Set(letter.sealed.as_str().to_owned()),
        due_at: Set(letter.at.unix_millis()),
        lease: Set(None),
        attempts: Set(0),
        failure: Set(None),
        dead_at: Set(None),
    };
    outbox::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}

/// Deletes an errand in the transaction that does it; `false` when somebody else holds it by now, and does it.
pub(super) async fn finish(transaction: &Transaction, leased: &Leased) -> Result<bool, StoreError> {
    let deleted = outbox::Entity::delete_many()
        .filter(outbox::Column::Id.eq(Uuid::from_bytes(*leased.letter.id.as_bytes())))
        .filter(outbox::Column::Lease.eq(uuid(leased.lease)))
        .exec(transaction)
        .await?;
    Ok(deleted.rows_affected > 0)
}

/// A change to a letter by the one who holds it; nothing when that is somebody else by now.
fn held(leased: &Leased) -> sea_orm::UpdateMany<outbox::Entity> {
    outbox::Entity::update_many()
        .filter(outbox::Column::Id.eq(Uuid::from_bytes(*leased.letter.id.as_bytes())))
        .filter(outbox::Column::Lease.eq(uuid(leased.lease)))
}

fn uuid(lease: LeaseId) -> Uuid {
    Uuid::from_bytes(*lease.as_bytes())
}

fn leased(row: outbox::Model, lease: LeaseId) -> Leased {
    Leased {
        letter: OutboxLetter {
            id: LetterId::from_bytes(row.id.into_bytes()),
            user: row.user_id.map(|user| UserId::from_bytes(user.into_bytes())),
            at: Timestamp::from_unix_millis(row.created_at),
            sealed: SealedLetter::from_text(row.sealed),
        },
        attempts: count(row.attempts),
        lease,
    }
}

fn count(attempts: i64) -> u32 {
    u32::try_from(attempts).unwrap_or(u32::MAX)
}
