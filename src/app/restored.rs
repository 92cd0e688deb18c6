//! A database that was set back while no node ran: noticed by what was remembered outside of it, and made safe again.

use super::{App, Error};
use crate::{
    crypto::seal_new_key,
    domain::{AuditKind, Device, FeedCursor, FeedMark, KeyState, UserId},
};

/// What a database is to one that was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequel {
    /// A later state of it, or the same.
    GoesOn,
    /// An earlier state of it, or one that went on differently from there: what was revoked since may count again.
    SetBack,
    /// Another one.
    Another,
}

impl App {
    /// Where this node stands in its database's feed: to be remembered outside the database. Never ahead of what is on the disk,
    /// since nobody can read a transaction before it is.
    pub async fn feed_mark(&self) -> Option<FeedMark> {
        let first = self.signing_keys().first()?.id.clone();
        Some(FeedMark::new(first, &*self.0.cursor.lock().await))
    }

    /// What this database is to the one of which a mark was made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sequel_of(&self, mark: &FeedMark) -> Result<Sequel, Error> {
        let place = FeedCursor::from_bytes(self.0.store.feed_parts(), &mark.place);
        let Some(place) = place.filter(|_| self.signing_keys().iter().any(|key| key.id == mark.database)) else {
            return Ok(Sequel::Another);
        };
        let (found, heads) = self.0.store.feed_at(&place).await?;
        Ok(if place.may_have_become(&heads, &found) { Sequel::GoesOn } else { Sequel::SetBack })
    }

    /// Takes the database as it is, although it is an earlier state of itself: every session ends, every code is void and every
    /// signing key is revoked, because nobody knows which of them had been. The feed's numbers go on behind any that somebody
    /// may remember, so that every node and every listener reads all of it again.
    ///
    /// # Errors
    /// When the database fails: nothing has changed.
    pub async fn accept_restore(&self) -> Result<(), Error> {
        let now = self.0.clock.now();
        let spare = seal_new_key(&self.0.master_keys, KeyState::Active, now, &*self.0.entropy)?;
        let event = self.event(AuditKind::RestoreAccepted, UserId::NOBODY, now, Device::default());
        self.0.store.begin_anew(&spare, &event).await?;
        self.reload_keys().await?;
        self.0.revoked.notify_one();
        Ok(())
    }
}
