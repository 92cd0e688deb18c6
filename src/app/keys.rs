//! The signing keys as the use cases have them: opened at the start and whenever the feed says so.

use std::sync::{Arc, PoisonError};

use super::{App, Error, verifier::Trust};
use crate::{
    crypto::{AccessTokens, Keyring, MasterKeys, seal_new_key},
    domain::{KeyState, SealedKey, Timestamp},
    entropy::Entropy,
    store::Store,
};

impl App {
    /// Every signing key, for the operator; the secret halves are sealed.
    #[must_use]
    pub fn signing_keys(&self) -> Arc<[SealedKey]> {
        Arc::clone(&self.0.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Opens the keys as the database has them now.
    pub(super) async fn reload_keys(&self) -> Result<(), Error> {
        self.open_keys(self.0.store.signing_keys().await?)
    }

    /// From now on these sign and verify.
    pub(super) fn open_keys(&self, keys: Vec<SealedKey>) -> Result<(), Error> {
        let keyring = Keyring::open(&keys, &self.0.master_keys)?;
        let policy = &self.0.policy;
        self.0.verifier.trust(Trust {
            tokens: AccessTokens::new(keyring, &policy.issuer, &policy.audience),
            keys: keys.iter().filter_map(SealedKey::public_key).collect(),
            revoked: keys.iter().filter(|key| key.state == KeyState::Revoked).map(|key| key.id.clone()).collect(),
        });
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.into();
        Ok(())
    }
}

/// The stored keys; the first start makes one, and of several nodes that do so at once one wins.
pub(super) async fn load(
    store: &Store,
    master: &MasterKeys,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<Vec<SealedKey>, Error> {
    let keys = store.signing_keys().await?;
    if !keys.is_empty() {
        return Ok(keys);
    }
    store.add_signing_key(&seal_new_key(master, KeyState::Active, now, entropy)?).await?;
    Ok(store.signing_keys().await?)
}
