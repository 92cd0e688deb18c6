//! Keeping somebody out, and letting them in again: what an operator does.

use super::{App, Error};
use crate::domain::{AuditKind, Device, Email, EndReason};

impl App {
    /// Disables an account and ends its sessions; `false` when there is no such account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn disable_user(&self, email: &Email) -> Result<bool, Error> {
        let now = self.0.clock.now();
        let Some(user) = self.0.store.user_by_email(email).await? else { return Ok(false) };
        let event = self.event(AuditKind::UserDisabled, user.id, now, Device::default());
        let ended = self.0.store.end_sessions_of(user.id, EndReason::UserDisabled, &event).await?;
        for session in ended {
            self.forget(session, now);
        }
        Ok(true)
    }

    /// Lets a disabled person sign in again; `false` when there is no such account. Its old sessions stay ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enable_user(&self, email: &Email) -> Result<bool, Error> {
        let now = self.0.clock.now();
        let Some(user) = self.0.store.user_by_email(email).await? else { return Ok(false) };
        let event = self.event(AuditKind::UserEnabled, user.id, now, Device::default());
        self.0.store.enable_user(user.id, &event).await?;
        Ok(true)
    }
}
