//! Moving an account to another address: asked for at the old one's risk, done when the new one is shown to be the person's.

use super::{App, Caller, Error, FreshCaller, Rejection};
use crate::{
    domain::{AuditEvent, AuditKind, CodeDigits, CodePurpose, CodeToken, Device, Email},
    mail::{Content, Envelope, Errand, Recipient},
    store::{EmailChangeLetters, EmailChangeRequest, Guessed},
};

/// What a signed-in person offers to show that they read the mail of the address that their account is to have.
#[derive(Debug, Clone)]
pub enum OwnCodeProof {
    /// They opened the link.
    Token(CodeToken),
    /// They typed the digits.
    Digits(CodeDigits),
}

impl App {
    /// Has a code sent to the new address and a warning to the present one. The same outcome whether somebody has the new
    /// address already, who is told of it in place of the code.
    ///
    /// # Errors
    /// [`Rejection::SessionEnded`]; [`Rejection::RateLimited`], so that nobody has letters sent to whomever they like.
    pub async fn request_email_change(&self, caller: &FreshCaller, email: Email, device: Device) -> Result<(), Error> {
        let now = self.0.clock.now();
        let (_, user) = self.present(caller, now).await?;
        let (code, told) = self.make_code(CodePurpose::ChangeEmail, user.id, email.clone(), now);
        let taken = Errand::SignUpRepeated { email: email.clone() };
        let to_new = Recipient::Address { email, locale: user.locale };
        let to_present = Recipient::Address { email: user.email, locale: user.locale };
        let letter = |to, content| self.letter(now, Some(user.id), Envelope { to, content });
        let letters = EmailChangeLetters {
            code: letter(to_new, Content::EmailChange(told))?,
            taken: self.errand(now, Some(user.id), taken)?,
            notice: letter(to_present, Content::EmailChangeRequested)?,
        };
        let event = self.event(AuditKind::EmailChangeRequested, user.id, now, device);
        let event = AuditEvent { session: Some(caller.session()), ..event };
        match self.0.store.request_email_change(&code, user.epoch, &letters, &event).await? {
            EmailChangeRequest::Made => self.hurry_mail(),
            EmailChangeRequest::TooMany(allowance) => {
                return Err(Rejection::RateLimited { retry_after: allowance.wait(now) }.into());
            }
            EmailChangeRequest::UserChanged => return Err(Rejection::SessionEnded.into()),
        }
        Ok(())
    }

    /// Moves the account to the address that a code of the caller's went to. Every other code is void: those that lie in the
    /// old mailbox open nothing any more.
    ///
    /// # Errors
    /// [`Rejection::CodeInvalid`], also for somebody else's code, and when somebody else has the address by now;
    /// [`Rejection::SessionEnded`].
    pub async fn confirm_email_change(
        &self,
        caller: &Caller,
        proof: &OwnCodeProof,
        device: Device,
    ) -> Result<(), Error> {
        let now = self.0.clock.now();
        let (_, user) = self.present(caller, now).await?;
        let purpose = CodePurpose::ChangeEmail;
        let code = match proof {
            OwnCodeProof::Token(token) => self.code_of_token(purpose, token, now).await?,
            OwnCodeProof::Digits(digits) => {
                let whose = Guessed::Person(caller.user());
                self.code_of_digits(purpose, whose, digits, &self.code_tried(now, device.clone())).await?
            }
        };
        if code.user != caller.user() {
            return Err(Rejection::CodeInvalid.into());
        }
        let event = self.event(AuditKind::EmailChanged, user.id, now, device);
        let event = AuditEvent { session: Some(caller.session()), ..event };
        let to = Recipient::Address { email: user.email, locale: user.locale };
        let notice = self.letter(now, Some(user.id), Envelope { to, content: Content::EmailChanged })?;
        if !self.0.store.change_email(&code, &event, &notice).await? {
            return Err(Rejection::CodeInvalid.into());
        }
        self.0.profiles.remove(caller.session());
        self.hurry_mail();
        Ok(())
    }
}
