//! Identifiers: UUID version 7 (RFC 9562), each kind a type of its own.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use super::Timestamp;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh id: sortable by time, unguessable by its 74 random bits.
            #[must_use]
            pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
                let millis = u64::try_from(now.unix_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// An id that was made before, read back.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// When it was made, to the millisecond.
            #[must_use]
            pub fn made_at(&self) -> Timestamp {
                let [a, b, c, d, e, f, ..] = *self.as_bytes();
                Timestamp::from_unix_millis(i64::from_be_bytes([0, 0, a, b, c, d, e, f]))
            }

            /// The 16 bytes of it.
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

id!(/// A person.
    UserId);
impl UserId {
    /// Where there is nobody to name: no user has it.
    pub const NOBODY: Self = Self::from_bytes([0; 16]);
}

id!(/// A sign-in that lasts.
    SessionId);
id!(/// One access token.
    TokenId);
id!(/// A device, as it is called between two sign-ins.
    DeviceId);
id!(/// An entry of the audit log.
    AuditId);
id!(/// A letter on its way out.
    LetterId);
id!(/// One sender's hold on some letters.
    LeaseId);
id!(/// Another service that may ask about tokens.
    BackendId);

/// The text is not a UUID in its usual spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a UUID in lower case with hyphens")]
pub struct InvalidId;

/// A signing key: its PASERK id, `k4.pid.…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// From the PASERK id that was computed of the public key.
    #[must_use]
    pub fn from_paserk(text: String) -> Self {
        Self(text)
    }

    /// The PASERK text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for KeyId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_read_back() {
        let early = UserId::new(Timestamp::from_unix_millis(1_000), [255; 10]);
        let late = UserId::new(Timestamp::from_unix_millis(1_001), [0; 10]);
        assert!(early < late);
        assert_eq!(early.to_string().parse(), Ok(early));
        assert_eq!(UserId::from_bytes(*late.as_bytes()), late);
        assert_eq!(late.made_at(), Timestamp::from_unix_millis(1_001));
    }

    #[test]
    fn one_id_has_one_spelling() {
        let id = SessionId::new(Timestamp::from_unix_millis(1_700_000_000_000), [171; 10]).to_string();
        for other in
            [id.to_uppercase(), format!("{{{id}}}"), format!("urn:uuid:{id}"), id.replace('-', ""), format!("{id} ")]
        {
            assert_eq!(other.parse::<SessionId>(), Err(InvalidId), "{other}");
        }
    }
}
