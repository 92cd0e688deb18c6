//! Carrying out what lies in the outbox: every letter until it has left or is given up, none for the sake of another.

use std::time::Duration;

use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{App, Error};
use crate::{
    domain::{Email, LeaseId, Locale, Timestamp},
    mail::{Envelope, Mail, MailError, Message, Recipient},
    store::Leased,
};

/// One letter after the other, so that a process that is killed leaves one behind that may have arrived: it is sent again.
/// But one that takes so long is overtaken,
const OVERTAKEN_AFTER: Duration = Duration::from_secs(1);
/// by at most so many: what is held up by a server that does not answer holds up no others.
const SLOTS: usize = 16;
/// Longer than any try takes, with room for clocks that differ: what a dead process held is tried again after it.
const LEASE: Duration = Duration::from_mins(3);
/// Until a letter is tried again: doubled each time, between these.
const SOONEST: Duration = Duration::from_secs(10);
const LATEST: Duration = Duration::from_hours(1);
/// A letter that could not leave for so long is given up. Longer than a weekend.
const PATIENCE: Duration = Duration::from_hours(72);

/// What becomes of a letter.
enum Fate {
    /// It has left.
    Delivered,
    /// Nobody needs it any more.
    Dropped,
    /// It was done and deleted.
    Settled,
    /// Another time.
    Postponed(String),
    /// Never.
    Dead(String),
}

impl App {
    /// Sends what is due, and what becomes due meanwhile, until there is nothing left; after `stop` only what is on its way.
    /// One of those who call it in this process does so at a time, and the rest wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliver_mail(&self, stop: &CancellationToken) -> Result<(), Error> {
        let _only_one = self.0.delivering.lock().await;
        let mut on_their_way = JoinSet::new();
        let outcome = loop {
            if stop.is_cancelled() {
                break Ok(());
            }
            if on_their_way.len() < SLOTS {
                match self.lease().await {
                    Ok(Some(letter)) => {
                        let app = self.clone();
                        on_their_way.spawn(async move { app.deliver(letter).await });
                    }
                    Ok(None) if on_their_way.is_empty() => break Ok(()),
                    Ok(None) => {}
                    Err(error) => break Err(error),
                }
            }
            // Either way there is a slot to be had, or to be looked for again.
            let _ = timeout(OVERTAKEN_AFTER, on_their_way.join_next()).await;
        };
        // Dropped half way they might arrive, and be sent again all the same.
        on_their_way.join_all().await;
        outcome
    }

    /// Waits until a letter was written on this node.
    pub async fn mail_written(&self) {
        self.0.mail_hint.notified().await;
    }

    async fn lease(&self) -> Result<Option<Leased>, Error> {
        let now = self.0.clock.now();
        let lease = LeaseId::new(now, self.0.entropy.bytes());
        Ok(self.0.store.lease_letter(lease, now, now + LEASE).await?)
    }

    async fn deliver(&self, leased: Leased) {
        let fate = self.attempt(&leased).await;
        let (id, attempts, now) = (leased.letter.id, leased.attempts, self.0.clock.now());
        let count = |outcome| self.0.metrics.letters.count([outcome]);
        let settled = match fate {
            Fate::Settled => Ok(()),
            Fate::Delivered | Fate::Dropped => {
                count(if matches!(fate, Fate::Delivered) { "delivered" } else { "dropped" });
                self.0.store.delete_letter(id).await
            }
            Fate::Postponed(why) if now.since(leased.letter.at) < PATIENCE => {
                count("postponed");
                tracing::warn!(letter = %id, attempts, why, "a letter could not leave; it is tried again");
                self.0.store.postpone_letter(&leased, now + self.wait(attempts), &why).await
            }
            Fate::Postponed(why) | Fate::Dead(why) => {
                count("given_up");
                tracing::error!(letter = %id, attempts, why, "a letter is given up; it stays in the outbox");
                self.0.store.bury_letter(&leased, now, &why).await
            }
        };
        if let Err(error) = settled {
            tracing::error!(letter = %id, %error, "cannot write down what became of a letter");
        }
    }

    async fn attempt(&self, leased: &Leased) -> Fate {
        let now = self.0.clock.now();
        // Neither is the letter's fault: a key may come back, and a newer version of this program read it.
        let message = match self.0.master_keys.unseal_letter(&leased.letter) {
            Ok(text) => Message::from_text(&text).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match message {
            Ok(Message::Letter(envelope)) => self.send(leased, envelope, now).await,
            Ok(Message::Errand(errand)) => match self.do_errand(leased, errand, now).await {
                Ok(()) => Fate::Settled,
                Err(error) => Fate::Postponed(error.to_string()),
            },
            Err(why) => Fate::Postponed(why),
        }
    }

    async fn send(&self, leased: &Leased, envelope: Envelope, now: Timestamp) -> Fate {
        if envelope.content.expires_at().is_some_and(|end| end <= now) {
            tracing::info!(letter = %leased.letter.id, "a letter is too late to be of use; it is dropped");
            return Fate::Dropped;
        }
        let (to, locale) = match self.recipient(leased, envelope.to).await {
            Ok(Some(recipient)) => recipient,
            Ok(None) => return Fate::Dropped,
            Err(error) => return Fate::Postponed(error.to_string()),
        };
        let content = match self.0.templates.render(&envelope.content, locale) {
            Ok(content) => content,
            Err(error) => return Fate::Postponed(error.to_string()),
        };
        let mail = Mail { id: leased.letter.id, at: leased.letter.at, to, content };
        match self.0.mailer.send(&mail).await {
            Ok(()) => Fate::Delivered,
            Err(MailError::Postponed { why }) => Fate::Postponed(why),
            Err(MailError::Refused { why }) => Fate::Dead(why),
        }
    }

    /// `None` when there is nobody left to write to.
    async fn recipient(&self, leased: &Leased, to: Recipient) -> Result<Option<(Email, Locale)>, Error> {
        match (to, leased.letter.user) {
            (Recipient::Address { email, locale }, _) => Ok(Some((email, locale))),
            (Recipient::Owner, Some(user)) => {
                Ok(self.0.store.user(user).await?.map(|owner| (owner.email, owner.locale)))
            }
            (Recipient::Owner, None) => Ok(None),
        }
    }

    /// Doubled each time, and spread over its second half, so that what failed together does not come back together.
    fn wait(&self, attempts: u32) -> Duration {
        let most = SOONEST.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(LATEST);
        let spread = u32::from(u16::from_be_bytes(self.0.entropy.bytes()));
        most / 2 + most / 2 * spread / u32::from(u16::MAX)
    }
}
