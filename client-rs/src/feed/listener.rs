//! Listens to the feed, and comes back whenever the line breaks, never all at once with the others.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::Arc,
    time::{Duration, SystemTime},
};

use tonic::Status;

use super::{Shared, known::Line};
use crate::proto::{PublicKeySet, RevocationBatch, revocation::Revoked, watch_revocations_response::Event};

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Listens until it is aborted.
pub(super) async fn listen(shared: Arc<Shared>) {
    let mut place = Vec::new();
    let mut failures = 0;
    loop {
        match follow(&shared, &mut place, &mut failures).await {
            Ok(()) => {}
            Err(status) => {
                failures += 1;
                tracing::warn!(code = ?status.code(), message = status.message(), "the feed of revocations broke off");
            }
        }
        pause(failures).await;
    }
}

/// Follows one call to its end.
async fn follow(shared: &Shared, place: &mut Vec<u8>, failures: &mut u32) -> Result<(), Status> {
    let mut line = Line::new(shared.clock.now());
    let mut stream = shared.service.watch(place.clone()).await?;
    loop {
        let silent = |_| Status::deadline_exceeded("nothing was heard for too long");
        let heard = tokio::time::timeout(shared.stale_after, stream.message()).await.map_err(silent)??;
        let Some(message) = heard else { return Ok(()) };
        *failures = 0;
        let now = shared.clock.now();
        match message.event {
            Some(Event::SnapshotBegins(_)) => {
                shared.known().begin_snapshot(now);
                shared.news.send_replace(());
            }
            Some(Event::Revocations(batch)) => add(shared, &batch),
            Some(Event::UpTo(reached)) => {
                *place = reached.resume_token;
                line.complete();
                shared.known().forget(now);
            }
            Some(Event::Keys(keys)) => tell_keys(shared, keys, now),
            Some(Event::Heartbeat(_)) | None => {}
            Some(Event::GoAway(_)) => return Ok(()),
        }
        let age = message.revocations_age.and_then(|age| Duration::try_from(age).ok());
        let sent = message.server_time.and_then(|time| SystemTime::try_from(time).ok());
        if let (Some(age), Some(sent)) = (age, sent.and_then(|sent| line.sent_at(sent, now))) {
            if let Some(as_of) = sent.checked_sub(age) {
                shared.known().heard(as_of, now);
            }
            if now.duration_since(sent).is_ok_and(|late| late > shared.stale_after) {
                // The line was stalled, or our clock set forward: on a new one we know better.
                return Err(Status::deadline_exceeded("what is heard is old"));
            }
        }
    }
}

fn add(shared: &Shared, batch: &RevocationBatch) {
    let mut known = shared.known();
    for revocation in &batch.revocations {
        let expires_at = revocation.expires_at.and_then(|at| SystemTime::try_from(at).ok());
        // An entry without an end stays as long as one can be.
        let expires_at = expires_at.unwrap_or_else(|| shared.clock.now() + Duration::from_hours(24));
        match &revocation.revoked {
            Some(Revoked::SessionId(id)) => {
                if let Ok(id) = id.as_slice().try_into() {
                    known.end_session(id, expires_at);
                }
            }
            Some(Revoked::UserEpoch(begun)) => {
                if let Ok(id) = begun.user_id.as_slice().try_into() {
                    known.begin_epoch(id, begun.epoch, expires_at);
                }
            }
            None => {}
        }
    }
    drop(known);
    shared.news.send_replace(());
}

fn tell_keys(shared: &Shared, set: PublicKeySet, now: SystemTime) {
    let Some(keeper) = &shared.keeper else { return };
    let listed = set.keys.into_iter().map(|key| {
        let not_after = key.not_after.map(|end| SystemTime::try_from(end).unwrap_or(SystemTime::UNIX_EPOCH));
        (key.id, key.key, not_after)
    });
    keeper.told(&set.issuer, listed, now);
}

/// Longer after each failure, and never the same for two of us: a service that comes back should not be met by all at once.
async fn pause(failures: u32) {
    let longest = SHORTEST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE);
    let random = f64::from(u32::try_from(RandomState::new().build_hasher().finish() >> 32).unwrap_or(0));
    let pause = longest.mul_f64(0.5 + random / f64::from(u32::MAX) / 2.0);
    #[expect(
        clippy::disallowed_methods,
        reason = "a pause between two calls is nothing that a clock of tests could turn"
    )]
    tokio::time::sleep(pause).await;
}
