//! Choosing a new password without the old one.

use super::{App, CodeProof, Error, Rejection};
use crate::{
    domain::{AuditKind, CodePurpose, Device, Email, NewPassword},
    mail::{Content, Envelope, Errand, Recipient},
};

/// What choosing a new password takes.
#[derive(Debug)]
pub struct ResetPassword {
    /// That whoever calls reads the account's mail.
    pub proof: CodeProof,
    /// What they will sign in with.
    pub password: NewPassword,
    /// Where the call came from.
    pub device: Device,
}

impl App {
    /// Has a letter sent that lets whoever has the address choose a new password, if it has an account. Does not look.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request_password_reset(&self, email: Email) -> Result<(), Error> {
        self.run_errand(Errand::PasswordReset { email }).await
    }

    /// Replaces the password, and with it everything that could open the account: every session, every code and every known
    /// device is gone, whoever had them. Opens no session.
    ///
    /// The address counts as confirmed from then on: the code was read there. Whoever made the account with somebody else's
    /// address, and hoped that its owner would confirm it, has lost their password and their sessions by the same step.
    ///
    /// # Errors
    /// [`Rejection::CodeInvalid`]; [`Rejection::Overloaded`], which leaves the code as it was.
    pub async fn reset_password(&self, command: ResetPassword) -> Result<(), Error> {
        let now = self.0.clock.now();
        let ResetPassword { proof, password, device } = command;
        // Nobody gets a password hashed without a code.
        let code = self.code_of(CodePurpose::ResetPassword, &proof, now, device.clone()).await?;
        let hash = self.0.passwords.hash(password).await?;
        let event = self.event(AuditKind::PasswordReset, code.user, now, device);
        let envelope = Envelope { to: Recipient::Owner, content: Content::PasswordChanged };
        let letter = self.letter(now, Some(code.user), envelope)?;
        let ended = self.0.store.reset_password(&code, &hash, &event, &letter).await?;
        for session in ended.ok_or(Rejection::CodeInvalid)? {
            self.forget(session, now);
        }
        self.hurry_mail();
        Ok(())
    }
}
