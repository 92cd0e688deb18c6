//! Learning what other nodes have revoked, and telling them what this one has.

use super::{App, Error};
use crate::{
    domain::{
        AuditEvent, AuditKind, Device, EndReason, FeedCursor, FeedEntry, News, STAYS_REVOKED_FOR, SessionId, Timestamp,
        UserEpoch, UserId,
    },
    store::Hints,
};

impl App {
    /// Learns what was revoked since the last time, on whatever node. When it returns, everything is known that was
    /// acknowledged before it was called (**I3**); dropped half way, it has learnt a part of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pull_revocations(&self) -> Result<(), Error> {
        let mut cursor = self.0.cursor.lock().await;
        let asked_at = self.0.clock.ticks();
        loop {
            let page = self.0.store.feed_from(&cursor).await?;
            let mut place = cursor.clone();
            match place.advance(&page) {
                Ok(new) => {
                    self.learn(&new).await?;
                    // Only now: what was not learnt wholly is read again.
                    *cursor = place;
                    self.tell(&new, &cursor);
                }
                Err(rewound) => {
                    self.0.metrics.feed_resyncs.count();
                    tracing::warn!(error = %rewound, "reads all revocations again; what is known stays known");
                    self.revoke_keys_again().await?;
                    self.reload_keys().await?;
                    self.shut_backends_out_again().await?;
                    self.reload_backends().await?;
                    return self.read_all(&mut cursor).await;
                }
            }
            if page.is_last {
                self.0.verifier.0.revocations.complete_as_of(asked_at);
                return Ok(());
            }
        }
    }

    /// Reads everything that still matters, and adds it to what is known. What this node knows and the database has forgotten,
    /// because it was set back, is ended there again.
    pub(super) async fn read_all(&self, cursor: &mut FeedCursor) -> Result<(), Error> {
        let asked_at = self.0.clock.ticks();
        let (entries, place) = self.0.store.feed(self.0.clock.now()).await?;
        let found: Vec<News> = entries.iter().map(|entry| entry.news).collect();
        let lost = self.0.verifier.0.revocations.beside(&found);
        self.learn(&entries).await?;
        *cursor = place;
        self.tell(&entries, cursor);
        self.0.verifier.0.revocations.complete_as_of(asked_at);
        for lost in lost {
            match lost {
                News::SessionEnded(session) => self.end_again(session).await?,
                News::EpochBegan { user, epoch } => self.begin_again(user, epoch).await?,
                News::KeysChanged | News::BackendsChanged => {}
            }
        }
        Ok(())
    }

    /// **I7**: a log that was set back takes back nothing that was acknowledged.
    async fn end_again(&self, session: SessionId) -> Result<(), Error> {
        let now = self.0.clock.now();
        let found = self.0.store.session(session).await?;
        let Some((_, user)) = found.filter(|(session, _)| !session.is_over(now)) else { return Ok(()) };
        let event = self.event(AuditKind::RevokedAgain, user.id, now, Device::default());
        let event = AuditEvent { session: Some(session), ..event };
        self.0.store.end_session(session, EndReason::Revoked, &event, None).await?;
        Ok(())
    }

    /// The same for all sessions of somebody: this node may know no more of them than the epoch that began.
    async fn begin_again(&self, user: UserId, least: UserEpoch) -> Result<(), Error> {
        while self.0.store.user(user).await?.is_some_and(|stored| stored.epoch < least) {
            let event = self.event(AuditKind::RevokedAgain, user, self.0.clock.now(), Device::default());
            self.0.store.end_sessions_of(user, EndReason::Revoked, &event).await?;
        }
        Ok(())
    }

    async fn learn(&self, entries: &[FeedEntry]) -> Result<(), Error> {
        for entry in entries {
            if let News::SessionEnded(session) = entry.news {
                self.0.profiles.remove(session);
            }
        }
        let ticks = self.0.clock.ticks();
        self.0.verifier.0.revocations.add(entries.iter().map(|entry| (entry.news, entry.expires_at)), ticks);
        if entries.iter().any(|entry| entry.news == News::KeysChanged) {
            self.reload_keys().await?;
        }
        if entries.iter().any(|entry| entry.news == News::BackendsChanged) {
            self.reload_backends().await?;
        }
        Ok(())
    }

    /// After the database has it, and before it is acknowledged: here too, a session passes no more (**I2**). The others hear
    /// of it in a moment.
    pub(super) fn forget(&self, session: SessionId, now: Timestamp) {
        self.0
            .verifier
            .0
            .revocations
            .add([(News::SessionEnded(session), now + STAYS_REVOKED_FOR)], self.0.clock.ticks());
        self.0.profiles.remove(session);
        self.0.revoked.notify_one();
    }

    /// Tells those who listen.
    fn tell(&self, entries: &[FeedEntry], place: &FeedCursor) {
        let news = entries.iter().map(|entry| (entry.news, entry.expires_at)).collect();
        self.0.verifier.0.told.tell(news, place.to_bytes());
    }

    /// Waits until this node has revoked something that the others have not been told of.
    pub async fn has_revoked(&self) {
        self.0.revoked.notified().await;
    }

    /// Tells the other nodes to look.
    ///
    /// # Errors
    /// When the database fails; they look soon anyway.
    pub async fn hint(&self) -> Result<(), Error> {
        Ok(self.0.store.hint().await?)
    }

    /// Listens for the hints of other nodes; `None` where there are none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn listen(&self) -> Result<Option<Hints>, Error> {
        Ok(self.0.store.listen().await?)
    }
}
