//! What the service does on its own while it serves.

use std::{sync::Arc, time::Duration};

use tokio::{
    select,
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval, interval_at, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::app::{App, Verifier};

/// How often to look for revocations, hinted at or not: with the half second that a look may take, what was ended on one node
/// is refused on all of them within a second (**I3**).
const PULL_EVERY: Duration = Duration::from_millis(250);
/// However many hints there are, given or taken, not more than a hundred a second are.
const PACE: Duration = Duration::from_millis(10);
/// How soon to listen for hints again, when that did not work.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// How often to drop from memory what refuses no token any more.
const FORGET_EVERY: Duration = Duration::from_mins(1);
/// How often to see whether the signing keys are due.
const ROTATE_EVERY: Duration = Duration::from_mins(10);
/// How often to delete what was over long ago.
const SWEEP_EVERY: Duration = Duration::from_hours(1);
/// How often to look through all sessions for those.
const SWEEP_SESSIONS_EVERY: Duration = Duration::from_hours(24);

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
        if let Err(error) = app.sweep_codes().await {
            tracing::error!(%error, "cannot delete old codes");
        }
        if let Err(error) = app.sweep_feed().await {
            tracing::error!(%error, "cannot delete old revocations");
        }
        if let Err(error) = app.sweep_accounts().await {
            tracing::error!(%error, "cannot delete the accounts whose owners asked for it");
        }
    }
}

/// Deletes for ever the sessions that were over long ago.
pub(super) async fn sweep_sessions(app: App) {
    let mut ticks = interval(SWEEP_SESSIONS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = app.sweep_sessions().await {
            tracing::error!(%error, "cannot delete old sessions");
        }
    }
}

/// Drops for ever from memory what refuses no token any more.
pub(super) async fn forget(verifier: Verifier) {
    let mut ticks = interval(FORGET_EVERY);
    loop {
        ticks.tick().await;
        verifier.forget_expired_revocations();
    }
}

/// Changes the signing keys for ever, when it is time. Not at once: who starts a node looks at something else.
pub(super) async fn rotate_keys(app: App) {
    let mut ticks = interval_at(Instant::now() + ROTATE_EVERY, ROTATE_EVERY);
    loop {
        ticks.tick().await;
        if let Err(error) = app.rotate_keys().await {
            tracing::error!(%error, "cannot rotate the signing keys");
        }
    }
}

/// Learns for ever what other nodes have revoked: at intervals, and sooner when there was a hint.
pub(super) async fn pull_revocations(app: App, hint: Arc<Notify>) {
    let mut ticks = interval(PULL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_well = true;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = hint.notified() => sleep_until(Instant::now() + PACE).await,
        }
        let outcome = app.pull_revocations().await;
        // Once when it breaks and once when it heals, not four times a second in between.
        match (&outcome, was_well) {
            (Err(error), true) => tracing::error!(%error, "cannot learn what other nodes have revoked"),
            (Ok(()), false) => tracing::info!("learns again what other nodes have revoked"),
            (Err(_), false) | (Ok(()), true) => {}
        }
        was_well = outcome.is_ok();
    }
}

/// Hears for ever the hints of other nodes, where there are any.
pub(super) async fn hear_hints(app: App, hint: Arc<Notify>) {
    loop {
        match app.listen().await {
            Ok(Some(mut hints)) => {
                while hints.next().await.is_ok() {
                    hint.notify_one();
                }
                // What was said meanwhile was not heard.
                hint.notify_one();
            }
            Ok(None) => return,
            Err(_) => sleep_until(Instant::now() + LISTEN_AGAIN).await,
        }
    }
}

/// Gives for ever hints of what this node has revoked, also to itself, since those who listen here are told what it reads: one
/// for all that was revoked while the last one was given.
pub(super) async fn give_hints(app: App, hint: Arc<Notify>) {
    loop {
        app.has_revoked().await;
        hint.notify_one();
        if let Err(error) = app.hint().await {
            tracing::debug!(%error, "cannot hint at a revocation");
        }
        sleep_until(Instant::now() + PACE).await;
    }
}
