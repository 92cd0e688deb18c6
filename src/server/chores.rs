//! What the service does on its own while it serves.

use std::time::Duration;

use tokio::{
    select,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// A session that was ended on one node is refused on all of them within a second: half for the wait, half for the look.
const PULL_EVERY: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_millis(500);

/// How often to look for sessions that were over long ago.
const SWEEP_EVERY: Duration = Duration::from_hours(1);

/// How often to look for letters that are due: those of other nodes, and those that are tried again. Its own are hinted at.
const DELIVER_EVERY: Duration = Duration::from_secs(2);

/// Sends mail until `stop`, and then what is on its way.
pub(super) async fn deliver_mail(app: App, stop: CancellationToken) {
    let mut ticks = interval(DELIVER_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_well = true;
    loop {
        select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
            () = app.mail_written() => {}
        }
        let outcome = app.deliver_mail(&stop).await;
        match (&outcome, was_well) {
            (Err(error), true) => tracing::error!(%error, "cannot look for letters that are due"),
            (Ok(()), false) => tracing::info!("looks again for letters that are due"),
            (Err(_), false) | (Ok(()), true) => {}
        }
        was_well = outcome.is_ok();
    }
}

/// Deletes for ever what was over long ago, and who is to go.
pub(super) async fn sweep(app: App) {
    let mut ticks = interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = app.sweep_sessions().await {
            tracing::error!(%error, "cannot delete old sessions");
        }
        if let Err(error) = app.sweep_accounts().await {
            tracing::error!(%error, "cannot delete the accounts whose owners asked for it");
        }
    }
}

/// Learns for ever which sessions other nodes have ended.
pub(super) async fn pull_revocations(app: App) {
    let mut ticks = interval(PULL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_well = true;
    loop {
        ticks.tick().await;
        let failure = match timeout(PATIENCE, app.pull_revocations()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(elapsed) => Some(elapsed.to_string()),
        };
        // Once when it breaks and once when it heals, not twice a second in between.
        match (&failure, was_well) {
            (Some(error), true) => tracing::error!(error, "cannot learn which sessions other nodes have ended"),
            (None, false) => tracing::info!("learns again which sessions other nodes have ended"),
            (Some(_), false) | (None, true) => {}
        }
        was_well = failure.is_none();
    }
}
