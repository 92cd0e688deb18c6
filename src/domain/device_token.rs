//! What a device keeps to be known again: `cs_dt_` and 49 bytes in base64url. It opens nothing.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use super::DeviceId;

/// A device's token, of which only the service makes valid ones.
#[derive(Debug, Clone)]
pub struct DeviceToken(SecretString);

/// What a device token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceTokenParts {
    /// Which master key it was signed under.
    pub key_version: u8,
    /// Which device it is.
    pub device: DeviceId,
    /// Shows that it was made by us.
    pub tag: [u8; 32],
}

/// How a device presents itself at a sign-in, and what it will be called from then on: each sign-in gives it a new number, so
/// that a token which was copied, or planted, is worth nothing after the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    /// What it was called; `None` when it does not say, or says what is not ours.
    pub presented: Option<DeviceId>,
    /// What it is called now.
    pub named: DeviceId,
}

const PREFIX: &str = "cs_dt_";
const BYTES: usize = 1 + 16 + 32;

impl DeviceToken {
    /// Takes the text as it arrived; nothing is checked yet.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// Writes a token.
    #[must_use]
    pub fn from_parts(parts: &DeviceTokenParts) -> Self {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.push(parts.key_version);
        bytes.extend(parts.device.as_bytes());
        bytes.extend(parts.tag);
        Self::from_text(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads a token; one token has one spelling. `None` for anything else.
    #[must_use]
    pub fn parts(&self) -> Option<DeviceTokenParts> {
        let mut bytes = [0; BYTES];
        let length = URL_SAFE_NO_PAD.decode_slice(self.expose().strip_prefix(PREFIX)?, &mut bytes).ok()?;
        let (key_version, rest) = bytes.split_first()?;
        let (device, rest) = rest.split_first_chunk()?;
        let tag = rest.try_into().ok()?;
        (length == BYTES).then(|| DeviceTokenParts {
            key_version: *key_version,
            device: DeviceId::from_bytes(*device),
            tag,
        })
    }

    /// The text that travels.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_nothing_else_is() {
        let parts = DeviceTokenParts { key_version: 7, device: DeviceId::from_bytes([1; 16]), tag: [2; 32] };
        let token = DeviceToken::from_parts(&parts);
        assert_eq!(token.parts(), Some(parts));
        let good = token.expose().to_owned();
        for text in [format!("{good}A"), format!("{good}="), good[..70].to_owned(), good[6..].to_owned(), String::new()]
        {
            assert_eq!(DeviceToken::from_text(text.clone()).parts(), None, "{text}");
        }
        assert!(!format!("{token:?}").contains("cs_dt_"));
    }
}
