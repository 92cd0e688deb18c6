//! Remembers tokens that passed. A hit saves the signature alone: all that can change is looked at again.

use std::{fmt, sync::Arc};

use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};

use crate::payload::Verified;

/// A token that passed, and the key that signed it.
pub(crate) struct Remembered {
    pub(crate) verified: Verified,
    pub(crate) kid: String,
}

/// Tokens by the SHA-256 of their one spelling. Only those that passed get in, so forged ones push none out.
pub(crate) struct Tokens(Cache<[u8; 32], Arc<Remembered>>);

impl Tokens {
    pub(crate) fn new(capacity: usize) -> Self {
        Self(Cache::new(capacity))
    }

    pub(crate) fn get(&self, digest: &[u8; 32]) -> Option<Arc<Remembered>> {
        self.0.get(digest)
    }

    pub(crate) fn insert(&self, digest: [u8; 32], token: Arc<Remembered>) {
        self.0.insert(digest, token);
    }
}

pub(crate) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("len", &self.0.len()).finish_non_exhaustive()
    }
}
