//! One-time codes: one row for each person and purpose; a new one takes the place of the one before, and of all who use one
//! at once one wins.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, Select,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use uuid::Uuid;

use super::{Store, StoreError, audit, entity::code, patience::Transaction, retrying, users};
use crate::domain::{AuditEvent, Code, CodeDigest, CodePurpose, Email, Timestamp, UserId};

/// Eight digits would be guessed without a bound; the link's token is not counted, so that nobody who guesses digits takes
/// the link away from its owner.
const TRIES: i64 = 5;

/// Whose digits somebody offers.
#[derive(Debug, Clone, Copy)]
pub enum Guessed<'a> {
    /// Those of whoever has the address.
    Address(&'a Email),
    /// A signed-in person's own.
    Person(UserId),
}

impl Store {
    /// The live code of a token, by what would be kept of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn code_by_token(
        &self,
        purpose: CodePurpose,
        digests: &[CodeDigest],
        now: Timestamp,
    ) -> Result<Option<Code>, StoreError> {
        let digests = digests.iter().map(|digest| digest.as_bytes().to_vec());
        let row = live(purpose, now).filter(code::Column::TokenDigest.is_in(digests)).one(&self.read).await?;
        row.map(Code::try_from).transpose()
    }

    /// Takes one of the tries that a code's digits have, before anybody looks whether they are right: those who guess at once
    /// have no more of them. Writes the same whether there is an account, a code, a try left, or none of it, so that the time
    /// does not tell.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn try_code(
        &self,
        whose: Guessed<'_>,
        purpose: CodePurpose,
        event: &AuditEvent,
    ) -> Result<Option<Code>, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            let user = match whose {
                Guessed::Address(email) => users::id_by_email(&transaction, email).await?,
                Guessed::Person(user) => Some(user),
            };
            let user = user.unwrap_or(UserId::NOBODY);
            let tried = code::Entity::update_many()
                .col_expr(code::Column::Tries, Expr::col(code::Column::Tries).add(1))
                .filter(code::Column::UserId.eq(uuid(user)))
                .filter(code::Column::Purpose.eq(purpose.as_str()))
                .filter(code::Column::Tries.lt(TRIES))
                .exec(&transaction)
                .await?;
            let found = live(purpose, event.at).filter(code::Column::UserId.eq(uuid(user))).one(&transaction).await?;
            audit::record(&transaction, &AuditEvent { user, ..event.clone() }).await?;
            transaction.commit().await?;
            let found = found.filter(|_| tried.rows_affected > 0);
            found.map(Code::try_from).transpose()
        })
        .await
    }

    /// Deletes the codes that expired before `moment`, and says how many those were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_codes_expired_before(&self, moment: Timestamp) -> Result<u64, StoreError> {
        let expired = code::Column::ExpiresAt.lt(moment.unix_millis());
        Ok(code::Entity::delete_many().filter(expired).exec(&self.write).await?.rows_affected)
    }
}

/// Puts a code in the place of the one before.
pub(super) async fn issue(transaction: &Transaction, code: &Code) -> Result<(), StoreError> {
    let place = OnConflict::columns([code::Column::UserId, code::Column::Purpose])
        .update_columns([
            code::Column::Email,
            code::Column::TokenDigest,
            code::Column::DigitsDigest,
            code::Column::Tries,
            code::Column::CreatedAt,
            code::Column::ExpiresAt,
        ])
        .to_owned();
    code::Entity::insert(row(code)).on_conflict(place).exec_without_returning(transaction).await?;
    Ok(())
}

/// Uses a code up; `false` when somebody else did, or another took its place, or it has expired. The transaction that does
/// what the code is for begins with this.
pub(super) async fn spend(transaction: &Transaction, code: &Code, now: Timestamp) -> Result<bool, StoreError> {
    let spent = code::Entity::delete_many()
        .filter(code::Column::UserId.eq(uuid(code.user)))
        .filter(code::Column::Purpose.eq(code.purpose.as_str()))
        .filter(code::Column::TokenDigest.eq(code.token.as_bytes().to_vec()))
        .filter(code::Column::ExpiresAt.gt(now.unix_millis()))
        .exec(transaction)
        .await?;
    Ok(spent.rows_affected > 0)
}

/// Voids every code of a user.
pub(super) async fn void(transaction: &Transaction, user: UserId) -> Result<(), StoreError> {
    code::Entity::delete_many().filter(code::Column::UserId.eq(uuid(user))).exec(transaction).await?;
    Ok(())
}

fn live(purpose: CodePurpose, now: Timestamp) -> Select<code::Entity> {
    code::Entity::find()
        .filter(code::Column::Purpose.eq(purpose.as_str()))
        .filter(code::Column::ExpiresAt.gt(now.unix_millis()))
}

fn uuid(user: UserId) -> Uuid {
    Uuid::from_bytes(*user.as_bytes())
}

fn row(code: &Code) -> code::ActiveModel {
    code::ActiveModel {
        user_id: Set(uuid(code.user)),
        purpose: Set(code.purpose.as_str().to_owned()),
        email: Set(code.email.as_str().to_owned()),
        token_digest: Set(code.token.as_bytes().to_vec()),
        digits_digest: Set(code.digits.as_bytes().to_vec()),
        tries: Set(0),
        created_at: Set(code.created_at.unix_millis()),
        expires_at: Set(code.expires_at.unix_millis()),
    }
}

impl TryFrom<code::Model> for Code {
    type Error = StoreError;

    fn try_from(row: code::Model) -> Result<Self, StoreError> {
        let corrupt = |what| StoreError::Corrupt { table: "codes", what };
        let digest = |bytes: Vec<u8>, what| bytes.try_into().map(CodeDigest::from_bytes).map_err(|_| corrupt(what));
        let purpose = CodePurpose::ALL.into_iter().find(|purpose| purpose.as_str() == row.purpose);
        Ok(Self {
            user: UserId::from_bytes(row.user_id.into_bytes()),
            purpose: purpose.ok_or_else(|| corrupt("purpose"))?,
            email: row.email.parse().map_err(|_| corrupt("email"))?,
            token: digest(row.token_digest, "token_digest")?,
            digits: digest(row.digits_digest, "digits_digest")?,
            created_at: Timestamp::from_unix_millis(row.created_at),
            expires_at: Timestamp::from_unix_millis(row.expires_at),
        })
    }
}
