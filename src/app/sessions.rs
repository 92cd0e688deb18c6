//! A person's open sessions: seen, and ended.

use super::{App, Caller, Error};
use crate::domain::{AuditEvent, AuditKind, Device, Session, SessionId};

impl App {
    /// The caller's open sessions and where each was opened, the last used first.
    ///
    /// # Errors
    /// [`Rejection::SessionEnded`](super::Rejection::SessionEnded).
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<(Session, Device)>, Error> {
        let now = self.0.clock.now();
        self.present(caller, now).await?;
        Ok(self.0.store.sessions_of(caller.user(), now).await?)
    }

    /// Ends one of the caller's sessions. The same outcome when it had ended, never was, or is somebody else's.
    ///
    /// # Errors
    /// [`Rejection::SessionEnded`](super::Rejection::SessionEnded).
    pub async fn revoke_session(&self, caller: &Caller, session: SessionId, device: Device) -> Result<(), Error> {
        let now = self.0.clock.now();
        self.present(caller, now).await?;
        let event = self.event(AuditKind::SessionRevoked, caller.user(), now, device);
        let event = AuditEvent { session: Some(session), ..event };
        if self.0.store.end_own_session(caller.user(), session, &event).await? {
            self.forget(session, now);
        }
        Ok(())
    }

    /// Ends every session of the caller but the one that calls, and says how many those were.
    ///
    /// # Errors
    /// [`Rejection::SessionEnded`](super::Rejection::SessionEnded).
    pub async fn revoke_other_sessions(&self, caller: &Caller, device: Device) -> Result<usize, Error> {
        let now = self.0.clock.now();
        self.present(caller, now).await?;
        let event = self.event(AuditKind::OtherSessionsRevoked, caller.user(), now, device);
        let event = AuditEvent { session: Some(caller.session()), ..event };
        let ended = self.0.store.end_other_sessions(caller.user(), caller.session(), &event).await?;
        for session in &ended {
            self.forget(*session, now);
        }
        Ok(ended.len())
    }
}
