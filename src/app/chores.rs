//! What has to be done again and again; the server runs it at intervals, tests call it.

use std::time::Duration;

use super::{App, Error};

/// How long after it stopped mattering somebody who reads the feed may still find their place in it (**I8**).
const FEED_KEPT_FOR: Duration = Duration::from_hours(1);
/// How long a session that is over can still be looked at.
const KEPT_FOR: Duration = Duration::from_hours(30 * 24);
const SESSIONS_AT_ONCE: usize = 500;
const BATCH: u32 = 500;

impl App {
    /// Deletes the sessions that were over long ago. That they are over does not depend on it: they are refused as long as the
    /// rows are there, and as unknown afterwards.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_sessions(&self) -> Result<(), Error> {
        let moment = self.0.clock.now() - KEPT_FOR;
        Ok(self.0.store.delete_sessions_dead_before(moment, SESSIONS_AT_ONCE).await?)
    }

    /// Deletes the codes that have expired, of which the same is true.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_codes(&self) -> Result<(), Error> {
        self.0.store.delete_codes_expired_before(self.0.clock.now()).await?;
        Ok(())
    }

    /// Deletes the entries of the feed that stopped mattering long ago.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_feed(&self) -> Result<(), Error> {
        let moment = self.0.clock.now() - FEED_KEPT_FOR;
        while self.0.store.delete_feed_expired_before(moment, BATCH).await? == u64::from(BATCH) {}
        Ok(())
    }
}
