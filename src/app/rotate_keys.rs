//! The life of a signing key: published long before it signs, good long after it did, and gone at once when it must be.

use std::time::Duration;

use super::{App, Error};
use crate::{
    crypto::seal_new_key,
    domain::{AuditId, KeyId, KeyState, SealedKey, Timestamp},
    store::KeyRevocation,
};

/// How long a key is published before it signs: twice as long as a verifier may keep the keys without asking again.
pub const PUBLISHED_BEFORE_SIGNING: Duration = Duration::from_hours(2);

impl App {
    /// Does what is due: publishes the next key, and lets the one sign that was published for long enough. Any number of nodes
    /// may do so at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rotate_keys(&self) -> Result<(), Error> {
        let now = self.0.clock.now();
        let keys = self.0.store.signing_keys().await?;
        let in_state = |state| keys.iter().find(|key| key.state == state);
        match (in_state(KeyState::Next), in_state(KeyState::Active)) {
            (Some(next), Some(active)) if now >= next.since + PUBLISHED_BEFORE_SIGNING => {
                self.activate(next, active, now).await
            }
            (None, Some(active))
                if now + PUBLISHED_BEFORE_SIGNING >= active.since + self.0.policy.rotate_keys_every =>
            {
                self.publish_next(now).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Publishes the next key although it is not due, unless one is published already, and says from when on it may sign.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn publish_next_key(&self) -> Result<Timestamp, Error> {
        let now = self.0.clock.now();
        let keys = self.0.store.signing_keys().await?;
        let next = match keys.into_iter().find(|key| key.state == KeyState::Next) {
            Some(next) => next,
            None => self.publish_next(now).await?,
        };
        Ok(next.since + PUBLISHED_BEFORE_SIGNING)
    }

    /// Makes a key worthless, with every token that it signed, on every node within a second. If it was the one that signs,
    /// the next one does from now on, or a new one that no verifier knows yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_key(&self, key: &KeyId) -> Result<KeyRevocation, Error> {
        let done = self.revoke_stored_key(key).await?;
        self.keys_have_changed().await?;
        Ok(done)
    }

    /// Revokes in the database, which was set back, what this node knows to be revoked.
    pub(super) async fn revoke_keys_again(&self) -> Result<(), Error> {
        for key in self.signing_keys().iter().filter(|key| key.state == KeyState::Revoked) {
            self.revoke_stored_key(&key.id).await?;
        }
        Ok(())
    }

    async fn revoke_stored_key(&self, key: &KeyId) -> Result<KeyRevocation, Error> {
        let now = self.0.clock.now();
        let spare = seal_new_key(&self.0.master_keys, KeyState::Active, now, &*self.0.entropy)?;
        let done = self.0.store.revoke_signing_key(key, &spare, self.cause(now), now).await?;
        if done == KeyRevocation::Done {
            tracing::warn!(%key, "a signing key was revoked");
        }
        Ok(done)
    }

    async fn publish_next(&self, now: Timestamp) -> Result<SealedKey, Error> {
        let next = seal_new_key(&self.0.master_keys, KeyState::Next, now, &*self.0.entropy)?;
        if self.0.store.publish_signing_key(&next, self.cause(now)).await? {
            tracing::info!(key = %next.id, "published the next signing key");
        }
        self.keys_have_changed().await?;
        Ok(next)
    }

    async fn activate(&self, next: &SealedKey, active: &SealedKey, now: Timestamp) -> Result<(), Error> {
        if self.0.store.activate_signing_key(&next.id, &active.id, self.cause(now), now).await? {
            tracing::info!(key = %next.id, retired = %active.id, "signs with another key from now on");
        }
        self.keys_have_changed().await
    }

    /// Here at once, and elsewhere in a moment.
    async fn keys_have_changed(&self) -> Result<(), Error> {
        self.reload_keys().await?;
        self.0.revoked.notify_one();
        Ok(())
    }

    fn cause(&self, now: Timestamp) -> AuditId {
        AuditId::new(now, self.0.entropy.bytes())
    }
}
