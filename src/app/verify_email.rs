//! Showing that an address is one's own.

use super::{App, CodeProof, Error, Rejection};
use crate::{
    domain::{AuditKind, CodePurpose, Device, Email},
    mail::Errand,
};

impl App {
    /// Marks the address that a code was sent to as confirmed, if it is still the account's. Opens no session: whoever reads
    /// the mail need not be who signed up.
    ///
    /// # Errors
    /// [`Rejection::CodeInvalid`].
    pub async fn verify_email(&self, proof: &CodeProof, device: Device) -> Result<(), Error> {
        let now = self.0.clock.now();
        let code = self.code_of(CodePurpose::VerifyEmail, proof, now, device.clone()).await?;
        let event = self.event(AuditKind::EmailVerified, code.user, now, device);
        if self.0.store.verify_email(&code, &event).await? { Ok(()) } else { Err(Rejection::CodeInvalid.into()) }
    }

    /// Has the letter sent once more, if there is an account that it is for. Does not look: the same work in either case.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resend_verification(&self, email: Email) -> Result<(), Error> {
        self.run_errand(Errand::Verification { email }).await
    }

    /// Leaves something to be done for an address, where nobody times it.
    pub(super) async fn run_errand(&self, errand: Errand) -> Result<(), Error> {
        let errand = self.errand(self.0.clock.now(), None, errand)?;
        self.0.store.post(&errand).await?;
        self.hurry_mail();
        Ok(())
    }
}
