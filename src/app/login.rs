//! Signing in with a password.

use super::{App, Error, Rejection, SignedIn};
use crate::{
    crypto::Verdict,
    domain::{AuditEvent, AuditKind, Device, Email, Password, Session, SessionId, SessionSalt, Timestamp, User},
    store::Opened,
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
}

impl App {
    /// Opens a session. The order of decisions is part of the defence: look up, verify, and only then anything that depends
    /// on the account.
    ///
    /// # Errors
    /// [`Rejection::BadCredentials`] alike, and at the same cost, for an unknown address and a wrong password; only after the
    /// right password [`Rejection::AccountDisabled`] and [`Rejection::EmailUnverified`]; [`Rejection::Overloaded`].
    pub async fn login(&self, command: Login) -> Result<SignedIn, Error> {
        let now = self.0.clock.now();
        let Login { email, password, device } = command;
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
            self.0.store.upgrade_password_hash(user.id, &hash, &upgraded).await?;
        }
        self.open_session(user, now, device).await
    }

    async fn open_session(&self, user: User, now: Timestamp, device: Device) -> Result<SignedIn, Error> {
        let entropy = &self.0.entropy;
        let policy = &self.0.policy;
        let id = SessionId::new(now, entropy.bytes());
        let session = Session::open(id, user.id, SessionSalt::from_bytes(entropy.bytes()), now, policy.sessions);
        let event = AuditEvent { session: Some(id), ..self.event(AuditKind::SignedIn, user.id, now, device) };
        match self.0.store.open_session(&session, user.epoch, policy.max_sessions_per_user, &event).await? {
            Opened::Yes { displaced } => {
                for session in displaced {
                    self.forget(session, now);
                }
            }
            // What was right a moment ago is so no more; the next try learns why.
            Opened::UserChanged => return Err(Rejection::BadCredentials.into()),
        }
        self.signed_in(user, session, now)
    }
}
