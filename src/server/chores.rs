//! What the service does on its own while it serves.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::app::App;

/// A session that was ended on one node is refused on all of them within a second: half for the wait, half for the look.
const EVERY: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_millis(500);

/// Learns for ever which sessions other nodes have ended.
pub(super) async fn pull_revocations(app: App) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_well = true;
    loop {
        ticks.tick().await;
        let is_well = matches!(timeout(PATIENCE, app.pull_revocations()).await, Ok(Ok(())));
        // Once when it breaks and once when it heals, not twice a second in between.
        match (was_well, is_well) {
            (true, false) => tracing::error!("cannot learn which sessions other nodes have ended"),
            (false, true) => tracing::info!("learns again which sessions other nodes have ended"),
            (true, true) | (false, false) => {}
        }
        was_well = is_well;
    }
}
