//! The refresh credential as text: `cs_rt_` and 61 bytes in base64url.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use super::SessionId;

/// A refresh credential. Only its holder has it; the database keeps what it is derived with, never the token.
#[derive(Debug, Clone)]
pub struct RefreshToken(SecretString);

/// How many times a session was refreshed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u32);

/// The random bytes of a session's row without which its refresh tokens cannot be made: whoever steals the master key alone
/// has nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionSalt([u8; 32]);

/// What a refresh token says.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshTokenParts {
    /// Which master key it was derived under.
    pub key_version: u8,
    /// Which session it renews.
    pub session: SessionId,
    /// How often the session had been renewed when it was made.
    pub generation: Generation,
    /// Shows that the rest is not junk, without the database.
    pub check: [u8; 8],
    /// Shows that it was made by us for this session.
    pub tag: [u8; 32],
}

/// The text is not a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a refresh token")]
pub struct InvalidRefreshToken;

/// So that secret scanners know one when they see it.
const PREFIX: &str = "cs_rt_";
const BYTES: usize = 1 + 16 + 4 + 8 + 32;

impl RefreshToken {
    /// Takes the text as it arrived; nothing is checked yet.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// Writes a token.
    #[must_use]
    pub fn from_parts(parts: &RefreshTokenParts) -> Self {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.push(parts.key_version);
        bytes.extend(parts.session.as_bytes());
        bytes.extend(parts.generation.0.to_be_bytes());
        bytes.extend(parts.check);
        bytes.extend(parts.tag);
        Self::from_text(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads a token; one token has one spelling.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parts(&self) -> Result<RefreshTokenParts, InvalidRefreshToken> {
        let text = self.expose().strip_prefix(PREFIX).ok_or(InvalidRefreshToken)?;
        let mut bytes = [0; BYTES];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(BYTES) => {}
            _ => return Err(InvalidRefreshToken),
        }
        let mut rest = bytes.as_slice();
        Ok(RefreshTokenParts {
            key_version: u8::from_be_bytes(take(&mut rest)?),
            session: SessionId::from_bytes(take(&mut rest)?),
            generation: Generation(u32::from_be_bytes(take(&mut rest)?)),
            check: take(&mut rest)?,
            tag: take(&mut rest)?,
        })
    }

    /// The text that travels.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], InvalidRefreshToken> {
    let (head, rest) = bytes.split_first_chunk().ok_or(InvalidRefreshToken)?;
    *bytes = rest;
    Ok(*head)
}

impl Generation {
    /// Of a session that was never refreshed.
    pub const FIRST: Self = Self(0);

    /// From a stored count; `None` when no session gets there.
    #[must_use]
    pub fn from_count(count: i64) -> Option<Self> {
        u32::try_from(count).ok().map(Self)
    }

    /// The count.
    #[must_use]
    pub fn count(self) -> u32 {
        self.0
    }

    /// One refresh later. A session would have to be refreshed every ten milliseconds of its month to get to the end.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl SessionSalt {
    /// From random or stored bytes.
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

impl std::fmt::Debug for SessionSalt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionSalt([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(key_version: u8, generation: u32, check: [u8; 8], tag: [u8; 32]) -> RefreshTokenParts {
        RefreshTokenParts {
            key_version,
            session: SessionId::from_bytes([7; 16]),
            generation: Generation(generation),
            check,
            tag,
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(version: u8, generation: u32, check: [u8; 8], tag: [u8; 32]) {
            let parts = parts(version, generation, check, tag);
            prop_assert!(RefreshToken::from_parts(&parts).parts() == Ok(parts));
        }

        #[test]
        fn what_is_read_has_one_spelling(text in "cs_rt_[A-Za-z0-9_-]{82}") {
            let token = RefreshToken::from_text(text);
            if let Ok(parts) = token.parts() {
                let again = RefreshToken::from_parts(&parts);
                prop_assert_eq!(again.expose(), token.expose());
            }
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let good = RefreshToken::from_parts(&parts(1, 0, [1; 8], [2; 32])).expose().to_owned();
        assert_eq!(good.len(), 88);
        for end in 0..good.len() {
            assert!(RefreshToken::from_text(good[..end].to_owned()).parts().is_err(), "{end}");
        }
        for bad in [
            format!("{good}A"),
            format!("{good}="),
            format!(" {good}"),
            format!("{good}\n"),
            good.to_uppercase(),
            good.replace("cs_rt_", ""),
        ] {
            assert!(RefreshToken::from_text(bad.clone()).parts().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_token_is_not_printed() {
        let token = RefreshToken::from_text("cs_rt_secret".to_owned());
        assert!(!format!("{token:?} {:?}", SessionSalt::from_bytes([9; 32])).contains("secret"));
    }
}
