//! Signing in with a password.

use super::{App, Error, Rejection, SignedIn};
use crate::{
    crypto::Verdict,
    domain::{
        AuditEvent, AuditId, AuditKind, Device, DeviceId, DeviceToken, Email, Password, Session, SessionId,
        SessionSalt, Sighting, Timestamp, User, UserId,
    },
    mail::{Content, Envelope, Recipient},
    store::{Opened, Opening},
};

/// What signing in takes.
#[derive(Debug)]
pub struct Login {
    /// Whose account.
    pub email: Email,
    /// What they typed.
    pub password: Password,
    /// Where they sit.
    pub device: Device,
    /// What that device is known by.
    pub known: Option<DeviceToken>,
}

impl App {
    /// Opens a session. The order of decisions is part of the defence: look up, verify, and only then anything that depends
    /// on the account. An account that was to be deleted stays.
    ///
    /// # Errors
    /// [`Rejection::BadCredentials`] alike, and at the same cost, for an unknown address and a wrong password; only after the
    /// right password [`Rejection::AccountDisabled`] and [`Rejection::EmailUnverified`]; [`Rejection::Overloaded`].
    pub async fn login(&self, command: Login) -> Result<SignedIn, Error> {
        let outcome = self.try_login(command).await;
        self.0.metrics.sign_ins.count([outcome.as_ref().map_or_else(Error::label, |_| "ok")]);
        outcome
    }

    async fn try_login(&self, command: Login) -> Result<SignedIn, Error> {
        let now = self.0.clock.now();
        let Login { email, password, device, known } = command;
        let user = self.0.store.user_by_email(&email).await?;
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        let verdict = self.0.passwords.verify(password, hash.clone()).await?;
        let (Some(user), Some(hash), Verdict::Right { upgraded }) = (user, hash, verdict) else {
            return Err(Rejection::BadCredentials.into());
        };
        if user.disabled_at.is_some() {
            return Err(Rejection::AccountDisabled.into());
        }
        if self.0.policy.require_verified_email && user.email_verified_at.is_none() {
            return Err(Rejection::EmailUnverified.into());
        }
        if let Some(upgraded) = upgraded {
            Box::pin(self.0.store.upgrade_password_hash(user.id, &hash, &upgraded)).await?;
        }
        self.open_session(user, now, device, known.as_ref()).await
    }

    async fn open_session(
        &self,
        user: User,
        now: Timestamp,
        device: Device,
        known: Option<&DeviceToken>,
    ) -> Result<SignedIn, Error> {
        let (session, sighting) = (self.new_session(user.id, now), self.sighting(known, now));
        let opening = Opening {
            epoch: user.epoch,
            most: self.0.policy.max_sessions_per_user,
            sighting,
            event: AuditEvent { session: Some(session.id), ..self.event(AuditKind::SignedIn, user.id, now, device) },
            session,
        };
        if !self.0.store.open_session_at_once(&opening).await? {
            // On the heap, since it is large and most have no need of it.
            Box::pin(self.open_step_by_step(&user, &opening, now)).await?;
        }
        self.signed_in_at(user, opening.session, sighting, now)
    }

    async fn open_step_by_step(&self, user: &User, opening: &Opening, now: Timestamp) -> Result<(), Error> {
        let Device { user_agent, address } = opening.event.by.clone();
        let content = Content::NewDevice { user_agent, address, at: now };
        let notice = self.letter(now, Some(user.id), Envelope { to: Recipient::Owner, content })?;
        let cancellation = AuditId::new(now, self.0.entropy.bytes());
        match self.0.store.open_session(opening, &notice, cancellation).await? {
            Opened::Yes { displaced, is_noticed } => {
                for session in displaced {
                    self.forget(session, now);
                }
                if is_noticed {
                    self.hurry_mail();
                }
                Ok(())
            }
            // What was right a moment ago is so no more; the next try learns why.
            Opened::UserChanged => Err(Rejection::BadCredentials.into()),
        }
    }

    /// A session that opens now.
    pub(super) fn new_session(&self, user: UserId, now: Timestamp) -> Session {
        let entropy = &self.0.entropy;
        let (id, salt) = (SessionId::new(now, entropy.bytes()), SessionSalt::from_bytes(entropy.bytes()));
        Session::open(id, user, salt, now, self.0.policy.sessions)
    }

    /// Which device presents itself, and what it is called from now on. What is not one of our tokens is none.
    pub(super) fn sighting(&self, known: Option<&DeviceToken>, now: Timestamp) -> Sighting {
        let presented = known.and_then(|token| self.0.devices.read(token));
        Sighting { presented, named: DeviceId::new(now, self.0.entropy.bytes()) }
    }
}
