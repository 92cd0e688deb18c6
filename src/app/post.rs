//! Writing letters: sealed at once, left to the store to be written with their cause, carried by [`App::deliver_mail`].

use super::{App, Error, Fault};
use crate::{
    domain::{LetterId, OutboxLetter, Timestamp, UserId},
    mail::{Envelope, Errand, Message},
};

impl App {
    /// A letter for the transaction of what causes it. `user` is whom it is about, and has to be there for
    /// [`Recipient::Owner`](crate::mail::Recipient::Owner); a letter goes when its user does.
    pub(super) fn letter(
        &self,
        now: Timestamp,
        user: Option<UserId>,
        envelope: Envelope,
    ) -> Result<OutboxLetter, Error> {
        self.seal(now, user, &Message::Letter(envelope))
    }

    /// An errand, for the call that must not look an address up.
    pub(super) fn errand(&self, now: Timestamp, user: Option<UserId>, errand: Errand) -> Result<OutboxLetter, Error> {
        self.seal(now, user, &Message::Errand(errand))
    }

    /// Has what was just committed leave now, instead of when it is next looked for.
    pub(super) fn hurry_mail(&self) {
        self.0.mail_hint.notify_one();
    }

    fn seal(&self, now: Timestamp, user: Option<UserId>, message: &Message) -> Result<OutboxLetter, Error> {
        let id = LetterId::new(now, self.0.entropy.bytes());
        let text = message.to_text().map_err(Fault::from)?;
        Ok(OutboxLetter { id, user, at: now, sealed: self.0.master_keys.seal_letter(id, &text)? })
    }
}
