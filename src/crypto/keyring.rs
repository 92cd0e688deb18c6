//! The signing keys in memory: the one that signs, and those whose signatures still count.

use std::collections::{HashMap, HashSet};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pasetors::{
    keys::AsymmetricPublicKey,
    paserk::{FormatAsPaserk, Id},
    version4::V4,
};
use zeroize::Zeroizing;

use super::{CryptoError, MasterKeys, signatures::Verifier};
use crate::{
    domain::{KeyId, KeyState, PublicKey, SealedKey, Timestamp},
    entropy::Entropy,
};

const SEED_BYTES: usize = 32;

/// The keys that access tokens are signed and verified with.
pub struct Keyring {
    /// None at an edge.
    active: Option<SigningKey>,
    verifying: HashMap<KeyId, VerifyingKey>,
    revoked: HashSet<KeyId>,
}

/// A key whose signatures count.
struct VerifyingKey {
    verifier: Verifier,
    not_after: Option<Timestamp>,
}

/// What a key is good for that a token names.
pub(super) enum Verifying<'a> {
    /// What it signed counts.
    With(&'a Verifier),
    /// It was ours, and was revoked.
    Revoked,
    /// It is not ours, or nothing that it signed can be left.
    Unknown,
}

/// The key that signs.
pub(super) struct SigningKey {
    pub(super) id: KeyId,
    pub(super) secret: Ed25519KeyPair,
}

impl Keyring {
    /// Opens the stored keys.
    ///
    /// # Errors
    /// When a key does not open, is not what its id says, or none is active.
    pub fn open(keys: &[SealedKey], master: &MasterKeys) -> Result<Self, CryptoError> {
        let mut active = None;
        let (mut verifying, mut revoked) = (HashMap::new(), HashSet::new());
        for key in keys {
            let corrupt = || CryptoError::CorruptKey { key: key.id.to_string() };
            let public = AsymmetricPublicKey::<V4>::try_from(key.public.as_str()).map_err(|_| corrupt())?;
            if public_id(&public) != Some(key.id.clone()) {
                return Err(corrupt());
            }
            match key.state {
                KeyState::Active => active = Some(unseal(key, &public, master)?),
                KeyState::Revoked => {
                    revoked.insert(key.id.clone());
                    continue;
                }
                KeyState::Next | KeyState::Retired => {}
            }
            let verifier = Verifier::new(&public).ok_or_else(corrupt)?;
            verifying.insert(key.id.clone(), VerifyingKey { verifier, not_after: key.not_after() });
        }
        let active = Some(active.ok_or(CryptoError::NoActiveKey)?);
        Ok(Self { active, verifying, revoked })
    }

    /// Keys that sign elsewhere. One that cannot be read, as later versions may publish, is left out.
    ///
    /// # Errors
    /// When none is left.
    pub fn verifying_only(published: &[PublicKey], revoked: &[KeyId]) -> Result<Self, CryptoError> {
        let readable = published.iter().filter_map(|key| {
            let public = AsymmetricPublicKey::<V4>::try_from(key.key.as_str()).ok()?;
            let is_itself = public_id(&public).as_ref() == Some(&key.id);
            let verifier = Verifier::new(&public).filter(|_| is_itself)?;
            Some((key.id.clone(), VerifyingKey { verifier, not_after: key.not_after }))
        });
        let verifying: HashMap<_, _> = readable.collect();
        if verifying.is_empty() {
            return Err(CryptoError::NoActiveKey);
        }
        Ok(Self { active: None, verifying, revoked: revoked.iter().cloned().collect() })
    }

    /// The key that signs.
    ///
    /// # Errors
    /// When all sign elsewhere.
    pub(super) fn active(&self) -> Result<&SigningKey, CryptoError> {
        self.active.as_ref().ok_or(CryptoError::NoActiveKey)
    }

    /// What the key is good for at `now`.
    pub(super) fn verifying(&self, id: &str, now: Timestamp) -> Verifying<'_> {
        match self.verifying.get(id) {
            Some(key) if key.not_after.is_none_or(|end| now < end) => Verifying::With(&key.verifier),
            None if self.revoked.contains(id) => Verifying::Revoked,
            Some(_) | None => Verifying::Unknown,
        }
    }
}

/// Makes a key pair and seals its secret half.
///
/// # Errors
/// When the library refuses what it never should.
pub fn seal_new_key(
    master: &MasterKeys,
    state: KeyState,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<SealedKey, CryptoError> {
    let failed = || CryptoError::Failed { operation: "key generation" };
    let seed = Zeroizing::new(entropy.bytes::<SEED_BYTES>());
    let public = public_of(&seed).ok_or_else(failed)?;
    let id = public_id(&public).ok_or_else(failed)?;
    let mut paserk = String::new();
    public.fmt(&mut paserk).map_err(|_| failed())?;
    let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(seed.as_slice()));
    let sealed = master.seal(&secret, &purpose(&id))?;
    Ok(SealedKey { id, public: paserk, sealed, state, created_at: now, since: now })
}

fn unseal(key: &SealedKey, public: &AsymmetricPublicKey<V4>, master: &MasterKeys) -> Result<SigningKey, CryptoError> {
    let sealed = || CryptoError::Sealed { key: key.id.to_string() };
    let text = master.unseal(&key.sealed, &purpose(&key.id)).ok_or_else(sealed)?;
    let mut seed = Zeroizing::new([0; SEED_BYTES]);
    let decoded = URL_SAFE_NO_PAD.decode_slice(text.as_bytes(), seed.as_mut_slice());
    // The library checks that the two halves belong together.
    match decoded {
        Ok(SEED_BYTES) => Ed25519KeyPair::from_seed_and_public_key(seed.as_slice(), public.as_bytes())
            .map(|secret| SigningKey { id: key.id.clone(), secret })
            .map_err(|_| CryptoError::CorruptKey { key: key.id.to_string() }),
        _ => Err(CryptoError::CorruptKey { key: key.id.to_string() }),
    }
}

fn public_of(seed: &[u8; SEED_BYTES]) -> Option<AsymmetricPublicKey<V4>> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    AsymmetricPublicKey::<V4>::from(pair.public_key().as_ref()).ok()
}

fn public_id(public: &AsymmetricPublicKey<V4>) -> Option<KeyId> {
    let mut text = String::new();
    Id::from(public).fmt(&mut text).ok()?;
    Some(KeyId::from_paserk(text))
}

/// What a sealed secret is bound to, so that one key's cannot be put in another's row.
fn purpose(id: &KeyId) -> String {
    format!("signing key {id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;

    const ONE: &str = "cs_mk_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    const TWO: &str = "cs_mk_AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

    fn new_key(state: KeyState) -> SealedKey {
        seal_new_key(&MasterKeys::parse(ONE).unwrap(), state, Timestamp::from_unix_millis(0), &OsEntropy).unwrap()
    }

    fn open(keys: &[SealedKey]) -> Result<Keyring, CryptoError> {
        Keyring::open(keys, &MasterKeys::parse(ONE).unwrap())
    }

    #[test]
    fn the_active_key_signs_and_the_revoked_one_does_not_even_verify() {
        let keys = [KeyState::Active, KeyState::Next, KeyState::Retired, KeyState::Revoked].map(new_key);
        let ring = open(&keys).unwrap();
        assert_eq!(ring.active().unwrap().id, keys[0].id);
        let verifies = |millis| {
            let now = Timestamp::from_unix_millis(millis);
            keys.each_ref().map(|key| matches!(ring.verifying(key.id.as_str(), now), Verifying::With(_)))
        };
        assert_eq!(verifies(0), [true, true, true, false]);
        assert!(matches!(ring.verifying(keys[3].id.as_str(), Timestamp::from_unix_millis(0)), Verifying::Revoked));
        assert_eq!(verifies(17 * 60_000 - 1), [true, true, true, false]);
        assert_eq!(verifies(17 * 60_000), [true, true, false, false], "nothing that a retired one signed can be left");
        assert_eq!(open(&keys[1..]).err(), Some(CryptoError::NoActiveKey));
    }

    #[test]
    fn who_only_verifies_signs_nothing_and_takes_no_key_for_another() {
        let [one, other] = [new_key(KeyState::Active), new_key(KeyState::Next)].map(|key| key.public_key().unwrap());
        let swapped = PublicKey { key: one.key.clone(), ..other.clone() };
        let gone = KeyId::from_paserk("k4.pid.gone".to_owned());
        let ring = Keyring::verifying_only(&[one.clone(), swapped.clone()], std::slice::from_ref(&gone)).unwrap();
        let now = Timestamp::from_unix_millis(0);
        assert!(matches!(ring.verifying(one.id.as_str(), now), Verifying::With(_)));
        assert!(matches!(ring.verifying(other.id.as_str(), now), Verifying::Unknown));
        assert!(matches!(ring.verifying(gone.as_str(), now), Verifying::Revoked));
        assert_eq!(ring.active().err(), Some(CryptoError::NoActiveKey));
        assert_eq!(Keyring::verifying_only(&[swapped], &[]).err(), Some(CryptoError::NoActiveKey));
    }

    #[test]
    fn a_key_opens_under_its_master_key_and_its_own_id_alone() {
        let (key, other) = (new_key(KeyState::Active), new_key(KeyState::Active));
        let elsewhere = Keyring::open(std::slice::from_ref(&key), &MasterKeys::parse(TWO).unwrap());
        assert_eq!(elsewhere.err(), Some(CryptoError::Sealed { key: key.id.to_string() }));
        let swapped = SealedKey { sealed: other.sealed.clone(), ..key.clone() };
        assert_eq!(open(&[swapped]).err(), Some(CryptoError::Sealed { key: key.id.to_string() }));
        let renamed = SealedKey { public: other.public, ..key.clone() };
        assert_eq!(open(&[renamed]).err(), Some(CryptoError::CorruptKey { key: key.id.to_string() }));
        let junk = SealedKey { public: "k4.public.AAAA".to_owned(), ..key.clone() };
        assert_eq!(open(&[junk]).err(), Some(CryptoError::CorruptKey { key: key.id.to_string() }));
    }
}
