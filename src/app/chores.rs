//! What has to be done again and again; the server runs it at intervals, tests call it.

use std::time::Duration;

use super::{App, Error};

/// Between two nodes' clocks, and between a transaction's moment and its commit: how far back every pull looks again.
const OVERLAP: Duration = Duration::from_mins(1);

/// How long a session that is over can still be looked at.
const KEPT_FOR: Duration = Duration::from_hours(30 * 24);
const BATCH: u32 = 500;

impl App {
    /// Deletes the codes that have expired, and the sessions that were over long ago. That they are over does not depend on
    /// it: they are refused as long as the rows are there, and as unknown afterwards.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_sessions(&self) -> Result<(), Error> {
        let now = self.0.clock.now();
        self.0.store.delete_codes_expired_before(now).await?;
        let moment = now - KEPT_FOR;
        while self.0.store.delete_sessions_dead_before(moment, BATCH).await? == u64::from(BATCH) {}
        Ok(())
    }

    /// Learns which sessions other nodes have ended. Looks back over a whole access token's lifetime, so that nothing that
    /// committed late is missed; what is known already costs nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pull_revocations(&self) -> Result<(), Error> {
        let now = self.0.clock.now();
        let horizon = now - self.0.policy.access_lifetime - OVERLAP;
        let ended = self.0.store.sessions_ended_since(horizon).await?;
        for (session, _) in &ended {
            self.0.profiles.remove(*session);
        }
        self.0.revocations.add(ended);
        self.0.revocations.forget_before(horizon);
        Ok(())
    }
}
