//! Leaving: announced at once, carried out once the person has had time to think again.

use super::{App, Error, FreshCaller, Rejection};
use crate::{
    domain::{AuditEvent, AuditKind, Device, Timestamp, User},
    mail::{Content, Envelope, Recipient},
};

/// At a time, so that no one waits long for a lock.
const BATCH: u32 = 100;

impl App {
    /// Ends every session and has the account deleted when the grace period is over, and says when that is. Signing in before
    /// then keeps it, and nothing else does.
    ///
    /// # Errors
    /// [`Rejection::SessionEnded`].
    pub async fn delete_account(&self, caller: &FreshCaller, device: Device) -> Result<Timestamp, Error> {
        let now = self.0.clock.now();
        let (_, user) = self.present(caller, now).await?;
        let at = now + self.0.policy.deletion_grace;
        let event = self.event(AuditKind::DeletionScheduled, user.id, now, device);
        let event = AuditEvent { session: Some(caller.session()), ..event };
        let content = Content::DeletionScheduled { at };
        let notice = self.letter(now, Some(user.id), Envelope { to: Recipient::Owner, content })?;
        let ended = self.0.store.schedule_deletion(user.epoch, at, &event, &notice).await?;
        for session in ended.ok_or(Rejection::SessionEnded)? {
            self.forget(session, now);
        }
        self.hurry_mail();
        Ok(at)
    }

    /// Deletes the accounts whose time has come.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_accounts(&self) -> Result<(), Error> {
        let now = self.0.clock.now();
        loop {
            let due = self.0.store.users_to_delete(now, BATCH).await?;
            for user in &due {
                self.delete(user, now).await?;
            }
            if due.len() < BATCH as usize {
                return Ok(());
            }
        }
    }

    async fn delete(&self, user: &User, now: Timestamp) -> Result<(), Error> {
        let event = self.event(AuditKind::UserDeleted, user.id, now, Device::default());
        // Of nobody's: it would go with them.
        let to = Recipient::Address { email: user.email.clone(), locale: user.locale };
        let farewell = self.letter(now, None, Envelope { to, content: Content::AccountDeleted })?;
        if self.0.store.delete_user(&event, &farewell).await? {
            tracing::info!(user = %user.id, "an account was deleted, as its owner asked");
            self.hurry_mail();
        }
        Ok(())
    }
}
