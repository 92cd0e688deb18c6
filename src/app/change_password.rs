//! Replacing a password by somebody who knows it.

use super::{App, Caller, Error, Rejection, SignedIn};
use crate::{
    crypto::Verdict,
    domain::{AuditEvent, AuditKind, Device, DeviceToken, NewPassword, Password},
    mail::{Content, Envelope, Recipient},
    store::PasswordChange,
};

/// What replacing a password takes.
#[derive(Debug)]
pub struct ChangePassword {
    /// What the person signs in with now: as good as a fresh proof, so that no other is asked for.
    pub current: Password,
    /// What they will sign in with.
    pub new: NewPassword,
    /// Where they sit.
    pub device: Device,
    /// What that device is known by.
    pub known: Option<DeviceToken>,
}

impl App {
    /// Replaces the password and ends every session, the calling one too, in whose place another opens: who had copied
    /// anything of it has nothing. Codes are void, and other devices not known any more.
    ///
    /// # Errors
    /// [`Rejection::BadCredentials`] for a wrong password, which changes nothing; [`Rejection::SessionEnded`];
    /// [`Rejection::Overloaded`].
    pub async fn change_password(&self, caller: &Caller, command: ChangePassword) -> Result<SignedIn, Error> {
        let now = self.0.clock.now();
        let ChangePassword { current, new, device, known } = command;
        let (_, mut user) = self.present(caller, now).await?;
        let hash = user.password_hash.clone();
        let verdict = self.0.passwords.verify(current, hash.clone()).await?;
        let (Some(from), Verdict::Right { .. }) = (hash, verdict) else {
            return Err(Rejection::BadCredentials.into());
        };
        let to = self.0.passwords.hash(new).await?;
        let (session, sighting) = (self.new_session(user.id, now), self.sighting(known.as_ref(), now));
        let event = self.event(AuditKind::PasswordChanged, user.id, now, device);
        let notice = Envelope { to: Recipient::Owner, content: Content::PasswordChanged };
        let change = PasswordChange {
            from,
            to,
            epoch: user.epoch,
            caller: caller.session(),
            sighting,
            event: AuditEvent { session: Some(session.id), ..event },
            notice: self.letter(now, Some(user.id), notice)?,
            session,
        };
        let ended = self.0.store.change_password(&change).await?.ok_or(Rejection::SessionEnded)?;
        for session in ended {
            self.forget(session, now);
        }
        self.hurry_mail();
        user.epoch = user.epoch.next();
        self.signed_in_at(user, change.session, sighting, now)
    }
}
