//! Another service that may ask about tokens: what it is called, what it proves itself with, and whose tokens it may see.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use super::{BackendId, Timestamp};

/// A service that an operator has let in. What it proves itself with is not in here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredBackend {
    /// Part of its key.
    pub id: BackendId,
    /// What the operator calls it.
    pub name: BackendName,
    /// What its key is recognised by.
    pub digest: BackendDigest,
    /// For whom the tokens are that it may ask about, sorted.
    pub audiences: Vec<Audience>,
    /// Whether it is an edge, which has to know the others.
    pub is_edge: bool,
    /// When it was let in.
    pub created_at: Timestamp,
    /// Since when it is shut out.
    pub revoked_at: Option<Timestamp>,
}

/// 1 to 64 of `a-z 0-9 _ - .`, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BackendName(String);

/// Whom tokens are for, their `aud`: 1 to 200 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Audience(String);

/// SHA-256 of a key's secret. The secret is random, so that nobody guesses it from this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackendDigest([u8; 32]);

/// The credential of a service: `cs_bk_` and 48 bytes in base64url.
#[derive(Debug, Clone)]
pub struct BackendKey(SecretString);

/// What such a key says.
pub struct BackendKeyParts {
    /// Whose it is.
    pub id: BackendId,
    /// What proves it.
    pub secret: [u8; 32],
}

/// The text is not a name for a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_NAME} of a-z, 0-9, '_', '-' and '.', beginning with a letter")]
pub struct InvalidBackendName;

/// The text is no audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_AUDIENCE} visible ASCII characters")]
pub struct InvalidAudience;

/// The text is not the key of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not the key of a service")]
pub struct InvalidBackendKey;

const MAX_NAME: usize = 64;
const MAX_AUDIENCE: usize = 200;
/// So that secret scanners know one when they see it.
const PREFIX: &str = "cs_bk_";
const BYTES: usize = 16 + 32;

impl BackendKey {
    /// Takes the text as it arrived; nothing is checked yet.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// Writes a key.
    #[must_use]
    pub fn from_parts(parts: &BackendKeyParts) -> Self {
        let bytes = [parts.id.as_bytes().as_slice(), &parts.secret].concat();
        Self(SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// The text that travels.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it is not of the form of one.
    pub fn parts(&self) -> Result<BackendKeyParts, InvalidBackendKey> {
        let encoded = self.expose().strip_prefix(PREFIX).ok_or(InvalidBackendKey)?;
        let mut bytes = [0; BYTES];
        match URL_SAFE_NO_PAD.decode_slice(encoded, &mut bytes) {
            Ok(BYTES) => {}
            _ => return Err(InvalidBackendKey),
        }
        let (mut id, mut secret) = ([0; 16], [0; 32]);
        id.copy_from_slice(&bytes[..16]);
        secret.copy_from_slice(&bytes[16..]);
        Ok(BackendKeyParts { id: BackendId::from_bytes(id), secret })
    }
}

impl BackendDigest {
    /// From 32 bytes that were computed or stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl BackendName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Audience {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BackendName {
    type Err = InvalidBackendName;

    fn from_str(text: &str) -> Result<Self, InvalidBackendName> {
        let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b);
        let fits = text.len() <= MAX_NAME && text.starts_with(|c: char| c.is_ascii_lowercase());
        if fits && text.bytes().all(letters) { Ok(Self(text.to_owned())) } else { Err(InvalidBackendName) }
    }
}

impl FromStr for Audience {
    type Err = InvalidAudience;

    fn from_str(text: &str) -> Result<Self, InvalidAudience> {
        let fits = (1..=MAX_AUDIENCE).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidAudience) }
    }
}

impl fmt::Display for BackendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_nothing_else_is() {
        let key = BackendKey::from_parts(&BackendKeyParts { id: BackendId::from_bytes([7; 16]), secret: [9; 32] });
        let parts = key.parts().unwrap();
        assert_eq!((parts.id, parts.secret), (BackendId::from_bytes([7; 16]), [9; 32]));
        let text = key.expose();
        assert_eq!((text.len(), &text[..6]), (70, PREFIX));
        for junk in ["", "cs_bk_", &text[6..], &text[..69], &format!("{text}A"), &text.replace("bk", "rt")] {
            assert!(BackendKey::from_text(junk.to_owned()).parts().is_err(), "{junk}");
        }
        assert!(!format!("{key:?}").contains(&text[6..]));
    }

    #[test]
    fn names_and_audiences_are_plain() {
        assert!("gateway-1".parse::<BackendName>().is_ok() && "https://api.example.com".parse::<Audience>().is_ok());
        for junk in ["", "Gateway", "1st", "a b", "a\n"] {
            assert_eq!(junk.parse::<BackendName>(), Err(InvalidBackendName), "{junk:?}");
        }
        for junk in ["", "a b", "ä", "\u{7f}", &"a".repeat(201)] {
            assert_eq!(junk.parse::<Audience>(), Err(InvalidAudience), "{junk:?}");
        }
    }
}
