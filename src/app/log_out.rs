//! Ending sessions: acknowledged only when the database has it.

use super::{App, Caller, Error, Leaver};
use crate::domain::{AuditEvent, AuditKind, Device, EndReason};

impl App {
    /// Ends the session of a token. Ending an ended one succeeds.
    ///
    /// # Errors
    /// When the database fails: the session is as it was.
    pub async fn log_out(&self, leaver: &Leaver, device: Device) -> Result<(), Error> {
        let now = self.0.clock.now();
        let (user, session) = (leaver.claims.user, leaver.claims.session);
        let event = AuditEvent { session: Some(session), ..self.event(AuditKind::SignedOut, user, now, device) };
        self.0.store.end_session(session, EndReason::SignedOut, &event, None).await?;
        self.forget(session, now);
        Ok(())
    }

    /// Ends every session of the caller.
    ///
    /// # Errors
    /// When the database fails: the sessions are as they were.
    pub async fn log_out_everywhere(&self, caller: &Caller, device: Device) -> Result<(), Error> {
        let now = self.0.clock.now();
        let event = self.event(AuditKind::SignedOutEverywhere, caller.user(), now, device);
        let event = AuditEvent { session: Some(caller.session()), ..event };
        let ended = self.0.store.end_sessions_of(caller.user(), EndReason::Revoked, &event).await?;
        for session in ended {
            self.forget(session, now);
        }
        Ok(())
    }
}
