//! The master keys: the one secret that lies outside the database, and what is derived from it.

use std::fmt;

use aws_lc_rs::{hkdf, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pasetors::{
    keys::SymmetricKey,
    token::{Local, UntrustedToken},
    version4::{LocalToken, V4},
};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::CryptoError;
use crate::entropy::Entropy;

/// What secret scanners know a master key by.
const PREFIX: &str = "cs_mk_";
const BYTES: usize = 32;

/// The current master key and those before it, which only read.
#[derive(Clone)]
pub struct MasterKeys {
    current: DerivedKeys,
    earlier: Vec<DerivedKeys>,
}

/// The text holds no usable master keys. Says nothing of what the text was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMasterKeys {
    /// Nothing but white space.
    #[error("holds no key; make one with `countersign key generate-master`")]
    Empty,
    /// Not what `generate-master` prints.
    #[error("key {position} is not of the form {PREFIX}… that `countersign key generate-master` prints")]
    Malformed {
        /// Which, counted from one.
        position: usize,
    },
    /// Two keys whose versions are the same byte, by chance one pair in 256, or one key twice.
    #[error("key {position} has the version of an earlier one; leave it out, or make another")]
    SameVersion {
        /// Which, counted from one.
        position: usize,
    },
}

/// One master key's derivations (HKDF-SHA-256, RFC 5869), each for one purpose: a token made for one never passes as another.
#[derive(Clone)]
pub(super) struct DerivedKeys {
    version: u8,
    sealing: SymmetricKey<V4>,
    /// Tells refresh tokens from junk.
    pub(super) refresh_check: hmac::Key,
    /// Makes refresh tokens.
    pub(super) refresh_tag: hmac::Key,
    /// Digests one-time codes.
    pub(super) codes: hmac::Key,
    /// Signs device tokens.
    pub(super) devices: hmac::Key,
}

impl MasterKeys {
    /// Reads one or more keys, separated by white space, the current one first.
    ///
    /// # Errors
    /// When one of them is malformed, or two have the same version.
    pub fn parse(text: &str) -> Result<Self, InvalidMasterKeys> {
        let mut keys: Vec<DerivedKeys> = Vec::new();
        for (index, word) in text.split_ascii_whitespace().enumerate() {
            let position = index + 1;
            let key = DerivedKeys::parse(word).ok_or(InvalidMasterKeys::Malformed { position })?;
            if keys.iter().any(|other| other.version == key.version) {
                return Err(InvalidMasterKeys::SameVersion { position });
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(InvalidMasterKeys::Empty);
        }
        Ok(Self { current: keys.remove(0), earlier: keys })
    }

    /// A new key, as one line of text.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> SecretString {
        let key = Zeroizing::new(entropy.bytes::<BYTES>());
        SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(key.as_slice())))
    }

    /// Which key is current.
    pub(super) fn current(&self) -> &DerivedKeys {
        &self.current
    }

    /// The key of a version.
    pub(super) fn by_version(&self, version: u8) -> Option<&DerivedKeys> {
        self.all().find(|key| key.version == version)
    }

    /// Every key that is still read, the current one first.
    pub(super) fn all(&self) -> impl Iterator<Item = &DerivedKeys> {
        std::iter::once(&self.current).chain(&self.earlier)
    }

    /// Makes `text` unreadable without the current master key, and usable for nothing but `purpose`.
    pub(super) fn seal(&self, text: &str, purpose: &str) -> Result<String, CryptoError> {
        let footer = [self.current.version];
        LocalToken::encrypt(&self.current.sealing, text.as_bytes(), Some(&footer), Some(purpose.as_bytes()))
            .map_err(|_| CryptoError::Failed { operation: "seal" })
    }

    /// Reads what was sealed for `purpose`; `None` when no key fits, or it was changed.
    pub(super) fn unseal(&self, sealed: &str, purpose: &str) -> Option<Zeroizing<String>> {
        let token = UntrustedToken::<Local, V4>::try_from(sealed).ok()?;
        let [version] = token.untrusted_footer() else { return None };
        let key = self.by_version(*version)?;
        let opened = LocalToken::decrypt(&key.sealing, &token, None, Some(purpose.as_bytes())).ok()?;
        Some(Zeroizing::new(opened.payload().to_owned()))
    }
}

impl DerivedKeys {
    fn parse(text: &str) -> Option<Self> {
        let mut secret = Zeroizing::new([0; BYTES]);
        let decoded = URL_SAFE_NO_PAD.decode_slice(text.strip_prefix(PREFIX)?, secret.as_mut_slice()).ok()?;
        // A key of zeros is a template that nobody filled in.
        if decoded != BYTES || secret.iter().all(|&byte| byte == 0) {
            return None;
        }
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"countersign").extract(secret.as_slice());
        let [version, ..] = *derive(&root, "key version")?;
        Some(Self {
            version,
            sealing: SymmetricKey::from(derive(&root, "seal")?.as_slice()).ok()?,
            refresh_check: hmac::Key::new(hmac::HMAC_SHA256, derive(&root, "refresh check")?.as_slice()),
            refresh_tag: hmac::Key::new(hmac::HMAC_SHA256, derive(&root, "refresh tag")?.as_slice()),
            codes: hmac::Key::new(hmac::HMAC_SHA256, derive(&root, "one-time codes")?.as_slice()),
            devices: hmac::Key::new(hmac::HMAC_SHA256, derive(&root, "devices")?.as_slice()),
        })
    }

    /// One byte that tells the configured keys apart, so that nobody has to number them.
    pub(super) const fn version(&self) -> u8 {
        self.version
    }
}

fn derive(root: &hkdf::Prk, purpose: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    root.expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256).ok()?.fill(key.as_mut_slice()).ok()?;
    Some(key)
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKeys([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::entropy::OsEntropy;

    const ONE: &str = "cs_mk_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    const TWO: &str = "cs_mk_AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

    #[test]
    fn what_was_sealed_opens_for_its_purpose_alone() {
        let keys = MasterKeys::parse(ONE).unwrap();
        let sealed = keys.seal("secret", "a").unwrap();
        assert_eq!(keys.unseal(&sealed, "a").unwrap().as_str(), "secret");
        assert!(keys.unseal(&sealed, "b").is_none());
        assert!(MasterKeys::parse(TWO).unwrap().unseal(&sealed, "a").is_none());
        assert!(!sealed.contains("secret"));
    }

    #[test]
    fn an_earlier_key_still_opens_what_it_sealed() {
        let sealed = MasterKeys::parse(ONE).unwrap().seal("secret", "a").unwrap();
        let both = MasterKeys::parse(&format!("{TWO}\n{ONE}\n")).unwrap();
        assert_eq!(both.unseal(&sealed, "a").unwrap().as_str(), "secret");
        let later = both.seal("secret", "a").unwrap();
        assert!(MasterKeys::parse(ONE).unwrap().unseal(&later, "a").is_none(), "the first one seals");
    }

    #[test]
    fn a_generated_key_is_read_back_and_no_other_is() {
        let text = MasterKeys::generate(&OsEntropy);
        assert!(MasterKeys::parse(text.expose_secret()).is_ok());
        let zeros = "cs_mk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for bad in ["cs_mk_", "secret", zeros, &ONE[6..], &ONE[..48], &format!("{ONE}A"), &format!("{ONE}=")] {
            assert_eq!(MasterKeys::parse(bad).err(), Some(InvalidMasterKeys::Malformed { position: 1 }), "{bad}");
        }
        assert_eq!(MasterKeys::parse(" \n").err(), Some(InvalidMasterKeys::Empty));
        assert_eq!(
            MasterKeys::parse(&format!("{ONE} {ONE}")).err(),
            Some(InvalidMasterKeys::SameVersion { position: 2 })
        );
    }

    #[test]
    fn a_key_is_not_printed() {
        assert_eq!(format!("{:?}", MasterKeys::parse(ONE)), "Ok(MasterKeys([REDACTED]))");
    }
}
