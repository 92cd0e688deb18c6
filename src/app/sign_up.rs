//! Making an account, without telling whether there was one.

use super::{App, Error};
use crate::{
    domain::{AuditKind, Device, DisplayName, Email, Locale, NewPassword, User, UserEpoch, UserId},
    mail::Errand,
    store::SignUpLetters,
};

/// What an account is made of.
#[derive(Debug)]
pub struct SignUp {
    /// The person's address.
    pub email: Email,
    /// What they want to sign in with.
    pub password: NewPassword,
    /// What they want to be called.
    pub display_name: DisplayName,
    /// Where the call came from.
    pub device: Device,
}

impl App {
    /// Makes an account. The same outcome, at the same cost, whether the address was free or not.
    ///
    /// # Errors
    /// [`Rejection::Overloaded`](super::Rejection::Overloaded).
    pub async fn sign_up(&self, command: SignUp) -> Result<(), Error> {
        let now = self.0.clock.now();
        let SignUp { email, password, display_name, device } = command;
        // Before the database is asked, so that a taken address costs the hash too.
        let password_hash = self.0.passwords.hash(password).await?;
        let user = User {
            id: UserId::new(now, self.0.entropy.bytes()),
            email,
            email_verified_at: None,
            display_name,
            locale: Locale::default(),
            password_hash: Some(password_hash),
            roles: Vec::new(),
            epoch: UserEpoch::default(),
            disabled_at: None,
            created_at: now,
        };
        let event = self.event(AuditKind::SignedUp, user.id, now, device);
        // Both are made, and one of them is written: the address' owner learns of it, whoever asked does not.
        let errand = Errand::Verification { email: user.email.clone() };
        let repeated = Errand::SignUpRepeated { email: user.email.clone() };
        let letters = SignUpLetters {
            welcome: self.errand(now, Some(user.id), errand)?,
            repeated: self.errand(now, None, repeated)?,
        };
        self.0.store.add_user(&user, &event, Some(&letters)).await?;
        self.hurry_mail();
        Ok(())
    }
}
