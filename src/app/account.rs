//! What is known of a person: shown to them, changed by them, and handed over whole.

use super::{App, Caller, Error, FreshCaller, Rejection};
use crate::{
    domain::{AuditEvent, AuditKind, Device, Metadata, User},
    store::{Belongings, ProfileUpdate},
};

/// A person, and what apps keep for them.
#[derive(Debug, Clone)]
pub struct Account {
    /// The person.
    pub user: User,
    /// What apps keep for them.
    pub metadata: Metadata,
}

impl App {
    /// Who the caller is, as the database has it now.
    ///
    /// # Errors
    /// [`Rejection::SessionEnded`].
    pub async fn account(&self, caller: &Caller) -> Result<Account, Error> {
        let (_, user) = self.present(caller, self.0.clock.now()).await?;
        Ok(Account { metadata: self.0.store.metadata(user.id).await?, user })
    }

    /// Changes what the caller says of themselves, and says what that is then.
    ///
    /// # Errors
    /// [`Rejection::SessionEnded`].
    pub async fn update_profile(
        &self,
        caller: &Caller,
        update: &ProfileUpdate,
        device: Device,
    ) -> Result<Account, Error> {
        let now = self.0.clock.now();
        let (_, user) = self.present(caller, now).await?;
        let event = self.event(AuditKind::ProfileUpdated, user.id, now, device);
        let event = AuditEvent { session: Some(caller.session()), ..event };
        if !self.0.store.update_profile(user.epoch, update, &event).await? {
            return Err(Rejection::SessionEnded.into());
        }
        self.0.profiles.remove(caller.session());
        self.account(caller).await
    }

    /// All that is stored of the caller.
    ///
    /// # Errors
    /// [`Rejection::SessionEnded`].
    pub async fn export_account(&self, caller: &FreshCaller, device: Device) -> Result<(Account, Belongings), Error> {
        let account = self.account(caller).await?;
        let event = self.event(AuditKind::AccountExported, caller.user(), self.0.clock.now(), device);
        // First, so that what is handed over names it too.
        self.0.store.record(&AuditEvent { session: Some(caller.session()), ..event }).await?;
        Ok((account, self.0.store.belongings(caller.user()).await?))
    }
}
