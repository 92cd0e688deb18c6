//! One-time codes: made for a letter, and taken back from whoever read it.

use super::{App, Error, Rejection};
use crate::{
    domain::{AuditEvent, AuditKind, Code, CodeDigits, CodePurpose, CodeToken, Device, Email, Timestamp, User, UserId},
    mail::{self, OneTime},
    store::Guessed,
};

/// What somebody offers who does not sign in with it.
#[derive(Debug, Clone)]
pub enum CodeProof {
    /// They opened the link.
    Token(CodeToken),
    /// They typed the digits that went to this address.
    Digits {
        /// Where the digits went.
        email: Email,
        /// What they typed.
        digits: CodeDigits,
    },
}

impl App {
    /// A code that shows that whoever has it reads the mail of `email`: what is kept, and what is told.
    pub(super) fn make_code(
        &self,
        purpose: CodePurpose,
        user: UserId,
        email: Email,
        now: Timestamp,
    ) -> (Code, mail::Code) {
        let made = self.0.codes.make(purpose, user, &*self.0.entropy);
        let expires_at = now + purpose.lifetime();
        let (token, digits) = (made.token_digest, made.digits_digest);
        let kept = Code { user, purpose, email, token, digits, created_at: now, expires_at };
        let secret = |text: &str| OneTime::from_text(text.to_owned());
        let told = mail::Code { token: secret(made.token.expose()), code: secret(made.digits.expose()), expires_at };
        (kept, told)
    }

    /// The live code that somebody proves to have. It is not used up yet.
    ///
    /// # Errors
    /// [`Rejection::CodeInvalid`], whatever is wrong.
    pub(super) async fn code_of(
        &self,
        purpose: CodePurpose,
        proof: &CodeProof,
        now: Timestamp,
        device: Device,
    ) -> Result<Code, Error> {
        match proof {
            CodeProof::Token(token) => self.code_of_token(purpose, token, now).await,
            CodeProof::Digits { email, digits } => {
                let event = self.code_tried(now, device);
                self.code_of_digits(purpose, Guessed::Address(email), digits, &event).await
            }
        }
    }

    pub(super) async fn code_of_token(
        &self,
        purpose: CodePurpose,
        token: &CodeToken,
        now: Timestamp,
    ) -> Result<Code, Error> {
        let digests = self.0.codes.token_digests(purpose, token);
        if digests.is_empty() {
            return Err(Rejection::CodeInvalid.into());
        }
        Ok(self.0.store.code_by_token(purpose, &digests, now).await?.ok_or(Rejection::CodeInvalid)?)
    }

    /// What is written down of a try, of which the store knows whose code it was for.
    pub(super) fn code_tried(&self, now: Timestamp, device: Device) -> AuditEvent {
        self.event(AuditKind::CodeTried, UserId::NOBODY, now, device)
    }

    pub(super) async fn code_of_digits(
        &self,
        purpose: CodePurpose,
        whose: Guessed<'_>,
        digits: &CodeDigits,
        event: &AuditEvent,
    ) -> Result<Code, Error> {
        let tried = self.0.store.try_code(whose, purpose, event).await?;
        let is_right = |code: &Code| self.0.codes.is_right(purpose, code.user, digits, &code.digits);
        Ok(tried.filter(is_right).ok_or(Rejection::CodeInvalid)?)
    }
}

/// Whether a code can be sent to somebody: to whoever may not sign in none is.
pub(super) fn may_have_codes(user: &User) -> bool {
    user.disabled_at.is_none()
}
