//! Proving once more who one is, within a session.

use super::{App, Caller, Error, Rejection, SignedIn};
use crate::{
    crypto::Verdict,
    domain::{AuditEvent, AuditKind, Device, Password, Session, SessionState},
};

impl App {
    /// Renews the session's proof, and its credentials with it: what was copied before does not profit for longer than a
    /// replaced refresh token ever does.
    ///
    /// # Errors
    /// [`Rejection::BadCredentials`] for a wrong password, which changes nothing; [`Rejection::SessionEnded`];
    /// [`Rejection::Overloaded`].
    pub async fn reauthenticate(&self, caller: &Caller, password: Password, device: Device) -> Result<SignedIn, Error> {
        let now = self.0.clock.now();
        let (_, user) = self.present(caller, now).await?;
        let verdict = self.0.passwords.verify(password, user.password_hash.clone()).await?;
        if verdict == Verdict::Wrong {
            return Err(Rejection::BadCredentials.into());
        }
        let event = self.event(AuditKind::Reauthenticated, caller.user(), now, device);
        let event = AuditEvent { session: Some(caller.session()), ..event };
        // Goes round again only when a refresh moved the session meanwhile. What was checked must still be so.
        loop {
            let (session, current) = self.present(caller, now).await?;
            if current.password_hash != user.password_hash {
                return Err(Rejection::BadCredentials.into());
            }
            let SessionState::Active { generation, .. } = session.state else {
                return Err(Rejection::SessionEnded.into());
            };
            let proven = Session { authenticated_at: now, ..session.moved_on(now, self.0.policy.sessions) };
            if self.0.store.prove_session(&proven, generation, &event).await? {
                self.0.profiles.remove(caller.session());
                return self.signed_in(current, proven, now);
            }
        }
    }
}
