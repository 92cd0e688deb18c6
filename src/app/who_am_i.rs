//! Saying who the caller is: from memory when it can, so that the commonest call needs no database.

use std::{sync::Arc, time::Duration};

use super::{App, Caller, Error, Fault, Rejection};
use crate::{
    domain::{SessionState, Timestamp, User},
    store::StoreError,
};

/// A person and the session they call in.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The person, without what they sign in with.
    pub user: User,
    /// When they last proved who they are.
    pub authenticated_at: Timestamp,
    /// When the session ends even if it is refreshed.
    pub expires_at: Timestamp,
    fetched_at: Timestamp,
    fresh_until: Timestamp,
}

/// How long a change made on another node may stay unseen. Ended sessions are not among what is looked up here.
const FRESH_FOR: Duration = Duration::from_secs(30);

impl App {
    /// Who the caller is. While the database is away, what was last known.
    ///
    /// # Errors
    /// [`Rejection::SessionEnded`].
    pub async fn who_am_i(&self, caller: &Caller) -> Result<Arc<Profile>, Error> {
        let now = self.0.clock.now();
        let known = self.0.profiles.get(caller.session());
        match known {
            Some(profile) if now >= profile.expires_at => Err(self.ended(caller, now)),
            // A clock that was set back must not keep it fresh until it has caught up.
            Some(profile) if profile.fetched_at <= now && now < profile.fresh_until => Ok(profile),
            Some(profile) => match Box::pin(self.look_up(caller, now)).await {
                Err(Error::Failed(Fault::Store(StoreError::Unavailable(_)))) => Ok(profile),
                looked_up => looked_up,
            },
            None => Box::pin(self.look_up(caller, now)).await,
        }
    }

    async fn look_up(&self, caller: &Caller, now: Timestamp) -> Result<Arc<Profile>, Error> {
        let (session, mut user) = self.present(caller, now).await?;
        let SessionState::Active { idle_expires_at, .. } = session.state else {
            return Err(self.ended(caller, now));
        };
        // What is kept in memory for long should not be worth stealing.
        user.password_hash = None;
        let profile = Arc::new(Profile {
            user,
            authenticated_at: session.authenticated_at,
            expires_at: session.expires_at,
            fetched_at: now,
            fresh_until: idle_expires_at.min(now + FRESH_FOR),
        });
        self.0.profiles.put(caller.session(), Arc::clone(&profile));
        Ok(profile)
    }

    fn ended(&self, caller: &Caller, now: Timestamp) -> Error {
        self.forget(caller.session(), now);
        Rejection::SessionEnded.into()
    }
}
