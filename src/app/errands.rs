//! What the calls that must not look an address up leave to be done.

use super::{App, Error, codes::may_have_codes};
use crate::{
    domain::{CodePurpose, LetterLimit, Timestamp, User, UserId},
    mail::{Content, Envelope, Errand, Recipient},
    store::Leased,
};

impl App {
    /// Does an errand, once: what it leads to is written in the transaction that deletes it (`store::outbox::finish`), which
    /// writes nothing when somebody else holds it by now.
    pub(super) async fn do_errand(&self, leased: &Leased, errand: Errand, now: Timestamp) -> Result<(), Error> {
        let (purpose, email) = match errand {
            Errand::Verification { email } => (Some(CodePurpose::VerifyEmail), email),
            Errand::PasswordReset { email } => (Some(CodePurpose::ResetPassword), email),
            Errand::SignUpRepeated { email } => (None, email),
        };
        match (purpose, self.0.store.user_by_email(&email).await?) {
            (None, Some(user)) => self.tell_of_sign_up(leased, user.id, now).await,
            (Some(purpose), Some(user)) if is_due(purpose, &user) => self.send_code(leased, purpose, user, now).await,
            _ => Ok(self.0.store.drop_errand(leased).await?),
        }
    }

    async fn tell_of_sign_up(&self, leased: &Leased, owner: UserId, now: Timestamp) -> Result<(), Error> {
        let envelope = Envelope { to: Recipient::Owner, content: Content::SignUpRepeated };
        let letter = self.letter(now, Some(owner), envelope)?;
        Ok(self.0.store.answer_errand(leased, &letter, owner, LetterLimit::SignUpRepeated).await?)
    }

    async fn send_code(&self, leased: &Leased, purpose: CodePurpose, user: User, now: Timestamp) -> Result<(), Error> {
        let (code, told) = self.make_code(purpose, user.id, user.email.clone(), now);
        let content = match purpose {
            CodePurpose::VerifyEmail => Content::Verification(told),
            CodePurpose::ResetPassword => Content::PasswordReset(told),
            CodePurpose::ChangeEmail => Content::EmailChange(told),
        };
        // To this address, and not wherever the person may have moved to when it leaves.
        let to = Recipient::Address { email: user.email, locale: user.locale };
        let letter = self.letter(now, Some(user.id), Envelope { to, content })?;
        Ok(self.0.store.issue_code(leased, &code, &letter).await?)
    }
}

fn is_due(purpose: CodePurpose, user: &User) -> bool {
    may_have_codes(user) && (purpose != CodePurpose::VerifyEmail || user.email_verified_at.is_none())
}
