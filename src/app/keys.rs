//! The signing keys as the use cases have them: opened at the start and whenever the feed says so, published to who verifies.

use std::sync::{Arc, PoisonError};

use super::{App, Error};
use crate::{
    crypto::{Keyring, MasterKeys, seal_new_key},
    domain::{KeyId, KeyState, SealedKey, Timestamp},
    entropy::Entropy,
    store::Store,
};

/// What a verifier needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeys {
    /// `iss` of the tokens that these keys verify.
    pub issuer: String,
    /// The keys, oldest first.
    pub keys: Vec<PublicKey>,
}

/// A key that tokens are verified with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// `k4.pid.…`, the `kid` in a token's footer.
    pub id: KeyId,
    /// `k4.public.…`.
    pub key: String,
    /// What it is used for.
    pub state: KeyState,
    /// When it was published.
    pub not_before: Timestamp,
    /// When it stops counting, where that is known.
    pub not_after: Option<Timestamp>,
}

impl App {
    /// The keys that tokens of this service are verified with. No secret, and no look into the database.
    #[must_use]
    pub fn public_keys(&self) -> PublicKeys {
        let now = self.0.clock.now();
        let keys = self.signing_keys();
        PublicKeys {
            issuer: self.0.policy.issuer.clone(),
            keys: keys
                .iter()
                .filter(|key| key.counts(now))
                .map(|key| PublicKey {
                    id: key.id.clone(),
                    key: key.public.clone(),
                    state: key.state,
                    not_before: key.created_at,
                    not_after: key.not_after(),
                })
                .collect(),
        }
    }

    /// Every signing key, for the operator; the secret halves are sealed.
    #[must_use]
    pub fn signing_keys(&self) -> Arc<[SealedKey]> {
        Arc::clone(&self.0.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Opens the keys as the database has them now.
    pub(super) async fn reload_keys(&self) -> Result<(), Error> {
        let keys = self.0.store.signing_keys().await?;
        self.0.access_tokens.replace_keys(Keyring::open(&keys, &self.0.master_keys)?);
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
