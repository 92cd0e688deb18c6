//! Reading the feed of revocations, again and again and never for long.

use std::{collections::BTreeMap, time::Duration};

use sea_orm::{
    ColumnTrait, Condition, ConnAcquireErr, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr,
    EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement, sea_query::ExprTrait,
};
use tokio::{sync::Mutex, time::timeout};

use super::{
    Store, StoreError,
    entity::{feed_head, revocation},
    feed,
};
use crate::domain::{FeedCursor, FeedEntry, FeedPage, Timestamp};

/// The most entries that are read at once.
const PAGE: u64 = 5_000;

/// What lives, and the last entry of each part, by which a reader finds its place. One statement sees one moment.
const SNAPSHOT: &str = "SELECT f.* FROM revocation_feed f JOIN feed_head h ON h.part = f.part \
                        WHERE f.expires_at >= $1 OR f.seq = h.seq ORDER BY f.part, f.seq";

/// A way to the primary for the reader of the feed alone: it never queues behind the calls of others, and is thrown away when
/// it does not answer, because a pool would take it back and wait for it.
pub(super) struct FeedConnection {
    /// How to open another; SQLite, being in the process, needs none.
    another: Option<ConnectOptions>,
    current: Mutex<Option<DatabaseConnection>>,
}

impl FeedConnection {
    /// One that is opened when it is needed.
    pub(super) fn to(options: ConnectOptions) -> Self {
        Self { another: Some(options), current: Mutex::new(None) }
    }

    /// One that is open already, and shared.
    pub(super) fn shared(connection: DatabaseConnection) -> Self {
        Self { another: None, current: Mutex::new(Some(connection)) }
    }

    /// What `look` finds, if it finds it in time.
    async fn within<T, F>(
        &self,
        patience: Duration,
        look: impl FnOnce(DatabaseConnection) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut current = self.current.lock().await;
        let connection = match (current.take(), &self.another) {
            (Some(connection), _) => connection,
            (None, Some(options)) => Database::connect(options.clone()).await?,
            (None, None) => return Err(unavailable()),
        };
        // Not there while it is in use: whoever drops this future half way leaves no half-read connection behind.
        let found = timeout(patience, look(connection.clone())).await.unwrap_or_else(|_| Err(unavailable()));
        if found.is_ok() || self.another.is_none() {
            *current = Some(connection);
        }
        found
    }

    /// Closes it.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        match self.current.lock().await.take() {
            Some(connection) => Ok(connection.close().await?),
            None => Ok(()),
        }
    }
}

impl Store {
    /// Reads what the reader of the feed needs beside it, in the same way: never for longer than a statement may run.
    pub(super) async fn look<T, F>(&self, look: impl FnOnce(DatabaseConnection) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        self.feed.within(self.patience, look).await
    }

    /// Everything in the feed that still matters at `now`, and a place behind it from which to read on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn feed(&self, now: Timestamp) -> Result<(Vec<FeedEntry>, FeedCursor), StoreError> {
        let look = async |connection: DatabaseConnection| {
            let values = [now.unix_millis().into()];
            let snapshot = Statement::from_sql_and_values(connection.get_database_backend(), SNAPSHOT, values);
            let rows = revocation::Entity::find().from_raw_sql(snapshot).all(&connection).await?;
            let entries = rows.into_iter().map(FeedEntry::try_from).collect::<Result<Vec<_>, _>>()?;
            let cursor = FeedCursor::behind(feed::parts(connection.get_database_backend()), &entries);
            Ok((entries, cursor))
        };
        self.look(look).await
    }

    /// Into how many parts the feed is divided.
    #[must_use]
    pub fn feed_parts(&self) -> u8 {
        feed::parts(self.read.get_database_backend())
    }

    /// What the feed has where a reader once stood, and how far it has come in each part.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn feed_at(&self, cursor: &FeedCursor) -> Result<(Vec<FeedEntry>, BTreeMap<u8, i64>), StoreError> {
        let anchors = cursor.positions().fold(Condition::any(), |anchors, (part, seq)| {
            anchors.add(revocation::Column::Part.eq(i16::from(part)).and(revocation::Column::Seq.eq(seq)))
        });
        // In this order: what was deleted between the two was not the last of its part any more.
        let found = revocation::Entity::find().filter(anchors).all(&self.read).await?;
        let heads = feed_head::Entity::find().all(&self.read).await?;
        let head = |row: feed_head::Model| u8::try_from(row.part).map(|part| (part, row.seq));
        let heads: Result<_, _> = heads.into_iter().map(head).collect();
        let heads = heads.map_err(|_| StoreError::Corrupt { table: "feed_head", what: "part" })?;
        Ok((found.into_iter().map(FeedEntry::try_from).collect::<Result<_, _>>()?, heads))
    }

    /// The next entries from a reader's place on, the one where it stands first.
    ///
    /// # Errors
    /// When the database fails, or does not answer in time.
    pub async fn feed_from(&self, cursor: &FeedCursor) -> Result<FeedPage, StoreError> {
        self.feed.within(self.look_timeout, async |connection| page(&connection, cursor).await).await
    }

    /// The same for somebody else than the node itself: of them there may be many, and none must keep the node waiting.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn feed_for_another(&self, cursor: &FeedCursor) -> Result<FeedPage, StoreError> {
        page(&self.read, cursor).await
    }
}

async fn page(connection: &impl ConnectionTrait, cursor: &FeedCursor) -> Result<FeedPage, StoreError> {
    let ahead = cursor.positions().fold(Condition::any(), |ahead, (part, seq)| {
        ahead.add(revocation::Column::Part.eq(i16::from(part)).and(revocation::Column::Seq.gte(seq)))
    });
    let rows = revocation::Entity::find()
        .filter(ahead)
        .order_by_asc(revocation::Column::Part)
        .order_by_asc(revocation::Column::Seq)
        .limit(PAGE)
        .all(connection)
        .await?;
    let is_last = rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
    Ok(FeedPage { entries: rows.into_iter().map(FeedEntry::try_from).collect::<Result<_, _>>()?, is_last })
}

fn unavailable() -> StoreError {
    StoreError::Unavailable(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
}
