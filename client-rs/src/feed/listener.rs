//! Listens to the feed, and comes back whenever the line breaks, never all at once with the others.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::{Duration, SystemTime},
};

use tonic::Status;

use super::{known::Line, service::Service};
use crate::{
    clock::Clock,
    proto::{WatchRevocationsRequest, watch_revocations_response::Event},
};

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Who is told what the feed says.
pub trait Ear: Send {
    /// This was said. With it, everything was told that happened until `as_of`, by the listener's clock; `None` before everything
    /// was told on this line.
    ///
    /// # Errors
    /// When nothing can be done with it: the line is given up, and another one tried.
    fn hear(&mut self, event: Event, as_of: Option<SystemTime>) -> Result<(), Status>;

    /// The line broke. Another one is tried in a moment.
    fn lost(&mut self, why: &Status);
}

/// Listens until it is dropped.
pub(super) async fn listen(
    service: &Service,
    clock: &Clock,
    patience: Duration,
    mut question: WatchRevocationsRequest,
    ear: &mut impl Ear,
) {
    let mut failures = 0;
    loop {
        match follow(service, clock, patience, &mut question, (&mut *ear, &mut failures)).await {
            Ok(()) => {}
            Err(status) => {
                failures += 1;
                ear.lost(&status);
            }
        }
        pause(failures).await;
    }
}

/// Follows one call to its end. Nothing may be heard on it for no longer than `patience`.
async fn follow(
    service: &Service,
    clock: &Clock,
    patience: Duration,
    question: &mut WatchRevocationsRequest,
    (ear, failures): (&mut impl Ear, &mut u32),
) -> Result<(), Status> {
    let mut line = Line::new(clock.now());
    let mut stream = service.watch(question.clone()).await?;
    loop {
        let silent = |_| Status::deadline_exceeded("nothing was heard for too long");
        let heard = tokio::time::timeout(patience, stream.message()).await.map_err(silent)??;
        let Some(message) = heard else { return Ok(()) };
        let now = clock.now();
        let Some(event) = message.event else { continue };
        if let Event::UpTo(reached) = &event {
            question.resume_token.clone_from(&reached.resume_token);
            line.complete();
        }
        let is_over = matches!(event, Event::GoAway(_));
        let age = message.revocations_age.and_then(|age| Duration::try_from(age).ok());
        let sent = message.server_time.and_then(|time| SystemTime::try_from(time).ok());
        let sent = sent.and_then(|sent| line.sent_at(sent, now));
        ear.hear(event, sent.zip(age).and_then(|(sent, age)| sent.checked_sub(age)))?;
        *failures = 0;
        if is_over {
            return Ok(());
        }
        if sent.is_some_and(|sent| now.duration_since(sent).is_ok_and(|late| late > patience)) {
            // The line was stalled, or our clock set forward: on a new one we know better.
            return Err(Status::deadline_exceeded("what is heard is old"));
        }
    }
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
