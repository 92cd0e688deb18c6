//! Identifiers in a token: UUIDs, each kind a type of its own.

use std::{fmt, str::FromStr};

use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// From its 16 bytes, as a database keeps it.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Its 16 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let id = Self(Uuid::try_parse(text).map_err(|_| InvalidId)?);
                // One id has one spelling: no braces, no URN, no capitals.
                if id.to_string() == text { Ok(id) } else { Err(InvalidId) }
            }
        }
    };
}

id!(/// A person: `sub`.
    UserId);
id!(/// A sign-in that lasts: `sid`.
    SessionId);
id!(/// One access token: `jti`.
    TokenId);

/// The text is not a UUID in its usual spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a UUID in lower case with hyphens")]
pub struct InvalidId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_id_has_one_spelling() {
        let text = "01a21249-4c42-7e9d-af60-cd2513ae5b02";
        let id: UserId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(UserId::from_bytes(*id.as_bytes()), id);
        for other in [text.to_uppercase(), format!("{{{text}}}"), text.replace('-', ""), format!("{text} ")] {
            assert_eq!(other.parse::<UserId>(), Err(InvalidId), "{other}");
        }
    }
}
