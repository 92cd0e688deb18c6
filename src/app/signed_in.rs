//! What opening or renewing a session gives.

use std::time::Duration;

use super::{App, Error, Fault};
use crate::{
    crypto::CryptoError,
    domain::{
        AccessToken, Claims, DeviceToken, RefreshToken, Session, SessionState, Sighting, Timestamp, TokenId, User,
    },
};

/// A person with an open session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// In which session.
    pub session: Session,
    /// With which credentials.
    pub tokens: Tokens,
}

/// The credentials of a session.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// For minutes.
    pub access: AccessToken,
    /// Until when.
    pub access_expires_at: Timestamp,
    /// For the next refresh alone.
    pub refresh: RefreshToken,
    /// Until when.
    pub refresh_expires_at: Timestamp,
    /// The same from now on.
    pub refresh_lifetime: Duration,
    /// What the device is known by at the next sign-in; only where the person has just shown who they are.
    pub device: Option<DeviceToken>,
}

impl App {
    /// Makes the credentials of an open session. Pure but for randomness: the session is in the database already.
    pub(super) fn signed_in(&self, user: User, session: Session, now: Timestamp) -> Result<SignedIn, Error> {
        let SessionState::Active { generation, idle_expires_at, .. } = session.state else {
            return Err(Fault::from(CryptoError::Failed { operation: "minting for an ended session" }).into());
        };
        let issued_at = now.whole_seconds();
        // Never beyond the session's own end: who verifies offline knows of no other.
        let expires_at =
            (issued_at + self.jittered(self.0.policy.access_lifetime)).min(idle_expires_at.whole_seconds());
        let claims = Claims {
            id: TokenId::new(now, self.0.entropy.bytes()),
            user: user.id,
            session: session.id,
            epoch: user.epoch,
            roles: user.roles.clone(),
            authenticated_at: session.authenticated_at.whole_seconds(),
            issued_at,
            expires_at,
        };
        let tokens = Tokens {
            access: self.0.verifier.trusted()?.tokens.mint(&claims)?,
            access_expires_at: claims.expires_at,
            refresh: self.0.refresh_tokens.derive(session.id, generation, &session.salt),
            refresh_expires_at: idle_expires_at,
            refresh_lifetime: idle_expires_at.since(now),
            device: None,
        };
        Ok(SignedIn { user, session, tokens })
    }

    /// The same with what the device is known by from now on.
    pub(super) fn signed_in_at(
        &self,
        user: User,
        session: Session,
        sighting: Sighting,
        now: Timestamp,
    ) -> Result<SignedIn, Error> {
        let mut signed_in = self.signed_in(user, session, now)?;
        signed_in.tokens.device = Some(self.0.devices.make(sighting.named));
        Ok(signed_in)
    }

    /// Up to 5 % less, in whole seconds: what was issued together should not all be refreshed together.
    fn jittered(&self, lifetime: Duration) -> Duration {
        let [random] = self.0.entropy.bytes();
        let jitter = lifetime.mul_f64(0.05 * f64::from(random) / 255.0);
        lifetime.saturating_sub(Duration::from_secs(jitter.as_secs()))
    }
}
