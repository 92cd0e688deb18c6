//! Renewing a session: read and moved on by one connection.

use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, QueryFilter as _, QueryTrait as _, Statement,
    sea_query::Expr,
};

use super::{Store, StoreError, entity::session, prepared::Prepared, retrying, sessions};
use crate::domain::{Generation, Refreshing, Session, SessionId, Timestamp, User};

/// A session that was looked at to be renewed.
#[derive(Debug)]
pub struct Renewal<R> {
    /// As it was.
    pub session: Session,
    /// Whose it is.
    pub user: User,
    /// What was decided.
    pub judged: Result<Refreshing, R>,
    /// Whether it was moved on, which was tried where that was decided. If not, somebody else moved or ended it first.
    pub is_moved: bool,
}

impl Store {
    /// Reads a session and, where `judge` decides so, moves it from one generation to the next at `now`. `None` when there is no
    /// such session.
    ///
    /// # Errors
    /// When the database fails: never to be taken for "there is none".
    pub async fn renew_session<R>(
        &self,
        session: SessionId,
        now: Timestamp,
        judge: impl Fn(&Session, &User) -> Result<Refreshing, R>,
    ) -> Result<Option<Renewal<R>>, StoreError> {
        retrying(|| async {
            let backend = self.read.get_database_backend();
            let mut lease = self.read.lease().await?;
            let found = lease.query_one(sessions::by_id(backend, session)).await?;
            let Some((session, user)) = found.map(sessions::with_owner).transpose()? else { return Ok(None) };
            let judged = judge(&session, &user);
            let is_moved = match judged {
                Ok(Refreshing::Rotate { from, idle_expires_at }) => {
                    // SQLite's readers do not write.
                    if backend == DbBackend::Sqlite {
                        lease.keep();
                        lease = self.write.lease().await?;
                    }
                    lease.execute(rotate(backend, session.id, from, now, idle_expires_at)).await? > 0
                }
                _ => false,
            };
            lease.keep();
            Ok(Some(Renewal { session, user, judged, is_moved }))
        })
        .await
    }
}

/// Moves a session from one generation to the next, and nothing when somebody else moved or ended it first. **I9**: it is one
/// conditional statement on the row that ending it changes too, so that nothing which has ended is moved on.
fn rotate(
    backend: DbBackend,
    session: SessionId,
    from: Generation,
    now: Timestamp,
    idle_expires_at: Timestamp,
) -> Statement {
    static ROTATE: Prepared = Prepared::new();
    let (id, from, to) = (sessions::uuid(session), i64::from(from.count()), i64::from(from.next().count()));
    let (now, idle_expires_at) = (now.unix_millis(), idle_expires_at.unix_millis());
    let values = [to.into(), now.into(), idle_expires_at.into(), id.into(), from.into()];
    ROTATE.with(backend, values, || {
        session::Entity::update_many()
            .col_expr(session::Column::Generation, Expr::value(to))
            .col_expr(session::Column::RotatedAt, Expr::value(now))
            .col_expr(session::Column::IdleExpiresAt, Expr::value(idle_expires_at))
            .filter(session::Column::Id.eq(id))
            .filter(session::Column::Generation.eq(from))
            .filter(session::Column::EndedAt.is_null())
            .build(backend)
    })
}
