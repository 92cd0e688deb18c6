//! People with accounts.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult as _, QueryFilter, QueryResult,
    QuerySelect, QueryTrait as _, Statement,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use uuid::Uuid;

use super::{Store, StoreError, audit, entity::user, outbox, patience::Transaction, prepared::Prepared, retrying};
use crate::domain::{
    AuditEvent, AuditKind, Email, OutboxLetter, PasswordHash, Role, Timestamp, User, UserEpoch, UserId,
};

/// What adding an account came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It is there now.
    New,
    /// Somebody has the address already; that was written down for them.
    Taken,
}

/// Of these two one is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignUpLetters {
    /// For whom the account is made.
    pub welcome: OutboxLetter,
    /// For whom the address belongs to, whoever that turns out to be.
    pub repeated: OutboxLetter,
}

impl Store {
    /// Adds an account. Both outcomes write the same, an entry and a letter, so that both take the same time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_user(
        &self,
        user: &User,
        event: &AuditEvent,
        letters: Option<&SignUpLetters>,
    ) -> Result<Added, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            user::Entity::insert(row(user))
                .on_conflict(OnConflict::column(user::Column::EmailKey).do_nothing().to_owned())
                .try_insert()
                .exec_without_returning(&transaction)
                .await?;
            // Gone again in between: the account was deleted while this one waited for it.
            let gone = || StoreError::Conflict(DbErr::RecordNotFound("users".to_owned()));
            // Asked in either case, so that both take the same time.
            let owner = id_by_email(&transaction, &user.email).await?.ok_or_else(gone)?;
            let added = if owner == user.id {
                audit::record(&transaction, event).await?;
                if let Some(letters) = letters {
                    outbox::enqueue(&transaction, &letters.welcome).await?;
                }
                Added::New
            } else {
                let event = AuditEvent { user: owner, kind: AuditKind::SignUpRepeated, ..event.clone() };
                audit::record(&transaction, &event).await?;
                if let Some(letters) = letters {
                    let letter = OutboxLetter { user: Some(owner), ..letters.repeated.clone() };
                    outbox::enqueue(&transaction, &letter).await?;
                }
                Added::Taken
            };
            transaction.commit().await?;
            Ok(added)
        })
        .await
    }

    /// The account of an address.
    ///
    /// # Errors
    /// When the database fails: never to be taken for "there is none".
    pub async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let mut lease = self.read.lease().await?;
        let row = lease.query_one(select_by_email(self.read.get_database_backend(), email)).await?;
        lease.keep();
        row.map(found).transpose()
    }

    /// The account of an id.
    ///
    /// # Errors
    /// When the database fails: never to be taken for "there is none".
    pub async fn user(&self, user: UserId) -> Result<Option<User>, StoreError> {
        let row = user::Entity::find_by_id(Uuid::from_bytes(*user.as_bytes())).one(&self.read).await?;
        row.map(User::try_from).transpose()
    }

    /// Replaces a password's hash by one of the same password, unless the password was changed meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn upgrade_password_hash(
        &self,
        user: UserId,
        from: &PasswordHash,
        to: &PasswordHash,
    ) -> Result<(), StoreError> {
        user::Entity::update_many()
            .col_expr(user::Column::PasswordHash, Expr::value(to.expose()))
            .filter(user::Column::Id.eq(Uuid::from_bytes(*user.as_bytes())))
            .filter(user::Column::PasswordHash.eq(from.expose()))
            .exec(&self.write)
            .await?;
        Ok(())
    }

    /// Lets a disabled user sign in again; `false` when there was nothing to do.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enable_user(&self, user: UserId, event: &AuditEvent) -> Result<bool, StoreError> {
        retrying(|| async {
            let transaction = self.begin().await?;
            let done = user::Entity::update_many()
                .col_expr(user::Column::DisabledAt, Expr::value(Option::<i64>::None))
                .filter(user::Column::Id.eq(Uuid::from_bytes(*user.as_bytes())))
                .filter(user::Column::DisabledAt.is_not_null())
                .exec(&transaction)
                .await?
                .rows_affected
                > 0;
            if done {
                audit::record(&transaction, event).await?;
            }
            transaction.commit().await?;
            Ok(done)
        })
        .await
    }
}

/// Moves a user to the next epoch, and says which: every token made before is dead. `None` when there is no such user.
pub(super) async fn bump_epoch(
    transaction: &Transaction,
    user: UserId,
    disabled_at: Option<Timestamp>,
) -> Result<Option<UserEpoch>, StoreError> {
    let mut update = user::Entity::update_many()
        .col_expr(user::Column::Epoch, Expr::col(user::Column::Epoch).add(1))
        .filter(user::Column::Id.eq(Uuid::from_bytes(*user.as_bytes())));
    if let Some(at) = disabled_at {
        update = update.col_expr(user::Column::DisabledAt, Expr::value(at.unix_millis()));
    }
    let moved = update.exec_with_returning(transaction).await?;
    Ok(moved.first().map(|row| UserEpoch::from_count(row.epoch)))
}

/// A user who is as they were when they were looked up, and stays so until the transaction ends.
pub(super) struct Unchanged {
    /// Whether their account is to be deleted.
    pub(super) is_leaving: bool,
}

/// The user, unless they were disabled, signed out everywhere or deleted since they were looked up.
pub(super) async fn hold_unchanged(
    transaction: &Transaction,
    user: UserId,
    epoch: UserEpoch,
) -> Result<Option<Unchanged>, StoreError> {
    static HOLD: Prepared = Prepared::new();
    let (backend, id) = (transaction.get_database_backend(), Uuid::from_bytes(*user.as_bytes()));
    let statement = HOLD.with(backend, [id.into()], || {
        let columns = [user::Column::Epoch, user::Column::DisabledAt, user::Column::DeleteAfter];
        user::Entity::find_by_id(id).select_only().columns(columns).lock_exclusive().build(backend)
    });
    let Some(row) = transaction.query_one_raw(statement).await? else { return Ok(None) };
    let (now, disabled_at, delete_after): (i64, Option<i64>, Option<i64>) =
        (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
    let is_unchanged = now == epoch.count() && disabled_at.is_none();
    Ok(is_unchanged.then_some(Unchanged { is_leaving: delete_after.is_some() }))
}

/// Whether there is such a user.
pub(super) async fn is_unchanged(
    transaction: &Transaction,
    user: UserId,
    epoch: UserEpoch,
) -> Result<bool, StoreError> {
    Ok(hold_unchanged(transaction, user, epoch).await?.is_some())
}

/// A user, held until the transaction ends: who changes anything of theirs waits.
pub(super) async fn hold(transaction: &Transaction, user: UserId) -> Result<Option<User>, StoreError> {
    let row = user::Entity::find_by_id(Uuid::from_bytes(*user.as_bytes())).lock_exclusive().one(transaction).await?;
    row.map(User::try_from).transpose()
}

pub(super) async fn by_email(transaction: &Transaction, email: &Email) -> Result<Option<User>, StoreError> {
    let row = transaction.query_one_raw(select_by_email(transaction.get_database_backend(), email)).await?;
    row.map(found).transpose()
}

fn select_by_email(backend: DbBackend, email: &Email) -> Statement {
    static BY_EMAIL: Prepared = Prepared::new();
    BY_EMAIL.with(backend, [email.key().into()], || {
        user::Entity::find().filter(user::Column::EmailKey.eq(email.key())).build(backend)
    })
}

#[expect(clippy::needless_pass_by_value, reason = "as `map` has it")]
fn found(row: QueryResult) -> Result<User, StoreError> {
    User::try_from(user::Model::from_query_result(&row, "")?)
}

/// Whose an address is, and nothing else of them: to read more would take longer than to find nobody.
pub(super) async fn id_by_email(
    connection: &impl ConnectionTrait,
    email: &Email,
) -> Result<Option<UserId>, StoreError> {
    let id: Option<Uuid> = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::EmailKey.eq(email.key()))
        .into_tuple()
        .one(connection)
        .await?;
    Ok(id.map(|id| UserId::from_bytes(id.into_bytes())))
}

fn row(user: &User) -> user::ActiveModel {
    let roles: Vec<&str> = user.roles.iter().map(Role::as_str).collect();
    user::ActiveModel {
        id: Set(Uuid::from_bytes(*user.id.as_bytes())),
        email: Set(user.email.as_str().to_owned()),
        email_key: Set(user.email.key().to_owned()),
        email_verified_at: Set(user.email_verified_at.map(Timestamp::unix_millis)),
        display_name: Set(user.display_name.as_str().to_owned()),
        password_hash: Set(user.password_hash.as_ref().map(|hash| hash.expose().to_owned())),
        roles: Set(roles.join(" ")),
        epoch: Set(user.epoch.count()),
        disabled_at: Set(user.disabled_at.map(Timestamp::unix_millis)),
        created_at: Set(user.created_at.unix_millis()),
        locale: Set(user.locale.as_str().to_owned()),
        delete_after: Set(None),
    }
}

impl TryFrom<user::Model> for User {
    type Error = StoreError;

    fn try_from(row: user::Model) -> Result<Self, StoreError> {
        let corrupt = |what| StoreError::Corrupt { table: "users", what };
        let email: Email = row.email.parse().map_err(|_| corrupt("email"))?;
        if email.key() != row.email_key {
            return Err(corrupt("email_key"));
        }
        let roles: Result<Vec<Role>, _> =
            row.roles.split(' ').filter(|role| !role.is_empty()).map(str::parse).collect();
        Ok(Self {
            id: UserId::from_bytes(row.id.into_bytes()),
            email,
            email_verified_at: row.email_verified_at.map(Timestamp::from_unix_millis),
            display_name: row.display_name.parse().map_err(|_| corrupt("display_name"))?,
            password_hash: row.password_hash.map(PasswordHash::from_phc),
            roles: roles.map_err(|_| corrupt("roles"))?,
            epoch: UserEpoch::from_count(row.epoch),
            disabled_at: row.disabled_at.map(Timestamp::from_unix_millis),
            created_at: Timestamp::from_unix_millis(row.created_at),
            locale: row.locale.parse().map_err(|_| corrupt("locale"))?,
        })
    }
}
