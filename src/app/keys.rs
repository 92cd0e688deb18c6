//! The signing keys: made on the first start, opened on every start, published to those who verify.

use std::sync::Arc;

use super::{App, Error};
use crate::{
    crypto::{CryptoError, Keyring, MasterKeys, seal_new_key},
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
        let keys = self.signing_keys().iter().filter(|key| key.state != KeyState::Revoked);
        PublicKeys {
            issuer: self.0.policy.issuer.clone(),
            keys: keys
                .map(|key| PublicKey {
                    id: key.id.clone(),
                    key: key.public.clone(),
                    state: key.state,
                    not_before: key.created_at,
                    not_after: None,
                })
                .collect(),
        }
    }

    /// Every signing key, for the operator; the secret halves are sealed.
    #[must_use]
    pub fn signing_keys(&self) -> &[SealedKey] {
        &self.0.keys
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

/// Opens the stored keys.
pub(super) fn open(keys: &[SealedKey], master: &MasterKeys) -> Result<Arc<Keyring>, CryptoError> {
    Keyring::open(keys, master).map(Arc::new)
}
