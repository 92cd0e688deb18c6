//! Renewing a session.

use super::{App, Error, Rejection, SignedIn};
use crate::{
    domain::{
        AuditEvent, AuditKind, Device, EndReason, RefreshToken, Refreshing, Session, SessionState, Timestamp, User,
    },
    mail::{Content, Envelope, Recipient},
    store::Renewal,
};

impl App {
    /// Exchanges a refresh token for its successor, and for the same one again while it was replaced only a moment ago.
    ///
    /// # Errors
    /// [`Rejection::TokenInvalid`]; [`Rejection::SessionEnded`], also when this use of a replaced token has ended it: that is
    /// in the database before the caller hears of it.
    pub async fn refresh(&self, token: &RefreshToken, device: Device) -> Result<SignedIn, Error> {
        let mut seen = None;
        let refreshed = self.try_refresh(token, device, &mut seen).await;
        let plain = refreshed.as_ref().map_or_else(Error::label, |_| "rotated");
        self.0.metrics.refreshes.count([seen.filter(|_| plain != "failed").unwrap_or(plain)]);
        refreshed
    }

    /// Notes in `seen` what the answer does not say.
    async fn try_refresh(
        &self,
        token: &RefreshToken,
        device: Device,
        seen: &mut Option<&'static str>,
    ) -> Result<SignedIn, Error> {
        let now = self.0.clock.now();
        let presented = self.0.refresh_tokens.read(token).map_err(|_| Rejection::TokenInvalid)?;
        let judge = |session: &Session, user: &User| {
            if !self.0.refresh_tokens.is_genuine(&presented, &session.salt) {
                return Err(Rejection::TokenInvalid);
            }
            // A database that was set back may have forgotten what this node still knows.
            let was_revoked = self.0.verifier.0.revocations.refuse(session.id, user.id, user.epoch);
            if user.disabled_at.is_some() || was_revoked {
                return Err(Rejection::SessionEnded);
            }
            Ok(session.judge(presented.generation, now, self.0.policy.sessions))
        };
        // Goes round again only when somebody else moved the session meanwhile, which makes this token the one before.
        loop {
            let looked_at = self.0.store.renew_session(presented.session, now, judge).await?;
            let Renewal { session, user, judged, is_moved } = looked_at.ok_or(Rejection::TokenInvalid)?;
            let session = match judged? {
                Refreshing::Over => return Err(Box::pin(self.end_expired(&session, now, device)).await?.into()),
                Refreshing::Reused => {
                    *seen = Some("reused");
                    return Err(Box::pin(self.end_reused(&session, now, device)).await?.into());
                }
                Refreshing::Repeat { .. } => {
                    *seen = Some("repeated");
                    session
                }
                Refreshing::Rotate { .. } if is_moved => session.moved_on(now, self.0.policy.sessions),
                Refreshing::Rotate { .. } => continue,
            };
            return self.signed_in(user, session, now);
        }
    }

    /// Writes down that a session has expired, now that somebody asked: a clock that is set back does not open it again.
    async fn end_expired(&self, session: &Session, now: Timestamp, device: Device) -> Result<Rejection, Error> {
        if matches!(session.state, SessionState::Active { .. }) {
            let event = self.event(AuditKind::SessionExpired, session.user, now, device);
            let event = AuditEvent { session: Some(session.id), ..event };
            self.0.store.end_session(session.id, EndReason::Expired, &event, None).await?;
            self.forget(session.id, now);
        }
        Ok(Rejection::SessionEnded)
    }

    /// Two hold one session's tokens, and nobody can say which of them is the thief.
    async fn end_reused(&self, session: &Session, now: Timestamp, device: Device) -> Result<Rejection, Error> {
        let event = self.event(AuditKind::TokenReused, session.user, now, device);
        let event = AuditEvent { session: Some(session.id), ..event };
        let envelope = Envelope { to: Recipient::Owner, content: Content::SessionEnded };
        let letter = self.letter(now, Some(session.user), envelope)?;
        self.0.store.end_session(session.id, EndReason::TokenReuse, &event, Some(&letter)).await?;
        self.forget(session.id, now);
        self.hurry_mail();
        tracing::warn!(user = %session.user, session = %session.id, "a refresh token was used again; the session was ended");
        Ok(Rejection::SessionEnded)
    }
}
