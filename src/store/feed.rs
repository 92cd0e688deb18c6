//! Writing the feed of revocations, in the transactions that revoke.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Condition, Expr, ExprTrait, Query},
};
use uuid::Uuid;

use super::{
    Store, StoreError,
    entity::{feed_head, revocation},
    patience::Transaction,
};
use crate::domain::{AuditId, FeedEntry, News, STAYS_REVOKED_FOR, SessionId, Timestamp, UserEpoch, UserId};

const SESSION_ENDED: &str = "session_ended";
const EPOCH_BEGAN: &str = "epoch_began";
const KEYS_CHANGED: &str = "keys_changed";
const BACKENDS_CHANGED: &str = "backends_changed";

/// Tells every node. **The last statements of every transaction that revokes anything** (**I1**: what was acknowledged is in
/// the feed, because both are in one transaction): from here to its commit it holds the counters, and whoever else revokes in
/// the same parts waits. That wait is what keeps the numbers without gaps in the order of the commits, which no sequence does.
///
/// # Errors
/// When the database fails.
pub(super) async fn append(
    transaction: &Transaction,
    cause: AuditId,
    at: Timestamp,
    news: &[News],
) -> Result<(), StoreError> {
    // In the order of the parts, so that no two transactions wait for each other.
    let mut by_part: BTreeMap<u8, Vec<News>> = BTreeMap::new();
    for news in news {
        by_part.entry(part(*news, parts(transaction.get_database_backend()))).or_default().push(*news);
    }
    for (part, news) in by_part {
        let count = i64::try_from(news.len()).unwrap_or(i64::MAX);
        let heads = feed_head::Entity::update_many()
            .col_expr(feed_head::Column::Seq, Expr::col(feed_head::Column::Seq).add(count))
            .filter(feed_head::Column::Part.eq(i16::from(part)))
            .exec_with_returning(transaction)
            .await?;
        let head = heads.first().ok_or(StoreError::Corrupt { table: "feed_head", what: "a part has no counter" })?;
        let first = head.seq - count + 1;
        let rows = (first..)
            .zip(news)
            .map(|(seq, news)| row(&FeedEntry { part, seq, cause, news, expires_at: at + STAYS_REVOKED_FOR }));
        revocation::Entity::insert_many(rows).exec_without_returning(transaction).await?;
    }
    Ok(())
}

impl Store {
    /// Deletes up to `most` entries that expired before `moment`, and says how many those were. The last one of each part
    /// stays, whatever its age: it is what readers find their place by.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_feed_expired_before(&self, moment: Timestamp, most: u32) -> Result<u64, StoreError> {
        let newest = Query::select()
            .column(feed_head::Column::Seq)
            .from(feed_head::Entity)
            .and_where(
                Expr::col((feed_head::Entity, feed_head::Column::Part))
                    .equals((revocation::Entity, revocation::Column::Part)),
            )
            .to_owned();
        let expired: Vec<(i16, i64)> = revocation::Entity::find()
            .select_only()
            .columns([revocation::Column::Part, revocation::Column::Seq])
            .filter(revocation::Column::ExpiresAt.lt(moment.unix_millis()))
            .filter(Expr::col((revocation::Entity, revocation::Column::Seq)).lt(newest))
            .limit(u64::from(most))
            .into_tuple()
            .all(&self.read)
            .await?;
        let which = expired.into_iter().fold(Condition::any(), |which, (part, seq)| {
            which.add(revocation::Column::Part.eq(part).and(revocation::Column::Seq.eq(seq)))
        });
        if which.is_empty() {
            return Ok(0);
        }
        Ok(revocation::Entity::delete_many().filter(which).exec(&self.write).await?.rows_affected)
    }
}

/// Into how many parts an engine's feed is divided, as its migration did: SQLite writes one transaction at a time anyway.
pub(super) fn parts(engine: DbBackend) -> u8 {
    if engine == DbBackend::Sqlite { 1 } else { 16 }
}

/// By the last byte of what it is about, which is random in all our ids.
fn part(news: News, parts: u8) -> u8 {
    match news {
        News::SessionEnded(session) => session.as_bytes()[15] % parts,
        News::EpochBegan { user, .. } => user.as_bytes()[15] % parts,
        News::KeysChanged | News::BackendsChanged => 0,
    }
}

pub(super) fn row(entry: &FeedEntry) -> revocation::ActiveModel {
    let (kind, subject, epoch) = match entry.news {
        News::SessionEnded(session) => (SESSION_ENDED, Some(*session.as_bytes()), None),
        News::EpochBegan { user, epoch } => (EPOCH_BEGAN, Some(*user.as_bytes()), Some(epoch.count())),
        News::KeysChanged => (KEYS_CHANGED, None, None),
        News::BackendsChanged => (BACKENDS_CHANGED, None, None),
    };
    revocation::ActiveModel {
        part: Set(i16::from(entry.part)),
        seq: Set(entry.seq),
        entry_id: Set(Uuid::from_bytes(*entry.cause.as_bytes())),
        kind: Set(kind.to_owned()),
        subject: Set(subject.map(Uuid::from_bytes)),
        epoch: Set(epoch),
        expires_at: Set(entry.expires_at.unix_millis()),
    }
}

impl TryFrom<revocation::Model> for FeedEntry {
    type Error = StoreError;

    fn try_from(row: revocation::Model) -> Result<Self, StoreError> {
        let corrupt = |what| StoreError::Corrupt { table: "revocation_feed", what };
        let subject = || row.subject.map(Uuid::into_bytes).ok_or_else(|| corrupt("subject"));
        let news = match row.kind.as_str() {
            SESSION_ENDED => News::SessionEnded(SessionId::from_bytes(subject()?)),
            EPOCH_BEGAN => News::EpochBegan {
                user: UserId::from_bytes(subject()?),
                epoch: UserEpoch::from_count(row.epoch.ok_or_else(|| corrupt("epoch"))?),
            },
            KEYS_CHANGED => News::KeysChanged,
            BACKENDS_CHANGED => News::BackendsChanged,
            _ => return Err(corrupt("kind")),
        };
        Ok(Self {
            part: u8::try_from(row.part).map_err(|_| corrupt("part"))?,
            seq: row.seq,
            cause: AuditId::from_bytes(row.entry_id.into_bytes()),
            news,
            expires_at: Timestamp::from_unix_millis(row.expires_at),
        })
    }
}
