//! Ring 1: hashing, signing, sealing and deriving. The only module that names a cryptography crate.

mod access_tokens;
mod backend_keys;
mod device_tokens;
mod keyring;
mod letters;
mod master_keys;
mod one_time_codes;
mod passwords;
mod refresh_tokens;
mod settings;
mod signatures;
mod verified_tokens;

pub use access_tokens::{AccessTokens, TokenRefusal};
pub use backend_keys::{is_backend_key, new_backend_key};
pub use device_tokens::DeviceTokens;
pub use keyring::{Keyring, seal_new_key};
pub use master_keys::{InvalidMasterKeys, MasterKeys};
pub use one_time_codes::{MadeCode, OneTimeCodes};
pub use passwords::{HashingError, Passwords, Verdict};
pub use refresh_tokens::RefreshTokens;
pub use settings::HashingSettings;

use crate::domain::LetterId;

/// What can break in here without anybody having done wrong outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// A stored key does not open: it was sealed under a master key that is not configured, or was changed.
    #[error("signing key {key} does not open with any configured master key")]
    Sealed {
        /// Which.
        key: String,
    },
    /// A stored key is not what its id says.
    #[error("signing key {key} is corrupt")]
    CorruptKey {
        /// Which.
        key: String,
    },
    /// A letter does not open: it was sealed under a master key that is not configured, or was changed.
    #[error("letter {letter} does not open with any configured master key")]
    SealedLetter {
        /// Which.
        letter: LetterId,
    },
    /// No key is active.
    #[error("there is no active signing key")]
    NoActiveKey,
    /// A stored password hash cannot be read, or asks for more work than any of ours.
    #[error("a stored password hash is malformed or too costly")]
    MalformedHash,
    /// The library refused what it never should.
    #[error("the {operation} operation failed")]
    Failed {
        /// Which.
        operation: &'static str,
    },
    /// The threads that hash are gone: the service is stopping.
    #[error("password hashing has stopped")]
    Stopped,
}
