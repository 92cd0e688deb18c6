//! What the service looks like right now, for whoever watches over it.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{App, Verifier};
use crate::{domain::KeyState, metrics::Metrics};

/// How long the database may take to say what waits in it.
const PATIENCE: Duration = Duration::from_secs(1);

impl Verifier {
    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }

    /// Reads into [`Verifier::metrics`] what it knows.
    pub fn measure(&self) {
        let metrics = self.metrics();
        let (sessions, users) = self.0.revocations.count();
        metrics.revocations.set("session", count(sessions));
        metrics.revocations.set("user", count(users));
        metrics.revocations_age.set(self.age_of_revocations().as_secs_f64());
        metrics.watchers.set(count(self.0.told.listeners()));
    }
}

impl App {
    /// Reads into [`Verifier::metrics`] what changes without anything that could be counted. What the database does not answer in
    /// time is NaN: nobody knows.
    pub async fn measure(&self) {
        let metrics = &self.0.metrics;
        let (running, waiting) = self.0.passwords.load();
        metrics.hash_running.set(count(running));
        metrics.hash_waiting.set(count(waiting));
        self.measure_keys(metrics);
        self.measure_database(metrics).await;
    }

    fn measure_keys(&self, metrics: &Metrics) {
        let (keys, now) = (self.signing_keys(), self.0.clock.now());
        for state in [KeyState::Next, KeyState::Active, KeyState::Retired, KeyState::Revoked] {
            let in_it = keys.iter().filter(|key| key.state == state);
            metrics.signing_keys.set(state.as_str(), count(in_it.count()));
        }
        if let Some(active) = keys.iter().find(|key| key.state == KeyState::Active) {
            metrics.signing_key_age.set(now.since(active.since).as_secs_f64());
        }
    }

    async fn measure_database(&self, metrics: &Metrics) {
        let usage = self.0.store.usage();
        metrics.database_connections.set("in_use", f64::from(usage.in_use));
        metrics.database_connections.set("idle", f64::from(usage.idle));
        metrics.database_connections_max.set(f64::from(usage.most));
        metrics.database_waiting.set(f64::from(usage.waiting));
        metrics.database_acquire_timeouts.reach(usage.timeouts);
        let backlog = timeout(PATIENCE, self.0.store.backlog()).await.ok().and_then(Result::ok);
        metrics.database_up.set(f64::from(u8::from(backlog.is_some())));
        let now = self.0.clock.now();
        let (waiting, given_up, oldest) = backlog.map_or((f64::NAN, f64::NAN, f64::NAN), |backlog| {
            let oldest = backlog.oldest.map_or(0.0, |at| now.since(at).as_secs_f64());
            (approximate(backlog.waiting), approximate(backlog.given_up), oldest)
        });
        metrics.outbox.set("waiting", waiting);
        metrics.outbox.set("given_up", given_up);
        metrics.outbox_oldest.set(oldest);
    }
}

fn count(things: usize) -> f64 {
    approximate(u64::try_from(things).unwrap_or(u64::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
fn approximate(count: u64) -> f64 {
    count as f64
}
