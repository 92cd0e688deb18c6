//! Tokens whose signature was found good, so that a caller who shows one again does not cost another verification: what a token
//! says, and nothing of whether it counts, which is decided on each call.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use quick_cache::sync::Cache;

use crate::domain::{Claims, KeyId, Timestamp};

/// As many callers as are remembered, at about half a KiB each.
const REMEMBERED: usize = 10_000;

/// What a token says that one of our keys signed, for us.
pub(super) struct Verified {
    /// Which one.
    pub(super) key: KeyId,
    /// Before that it does not count.
    pub(super) not_before: Timestamp,
    /// The rest.
    pub(super) claims: Arc<Claims>,
}

/// By a digest of their text, whose length an attacker does not choose and from which nobody makes a token: of one token there is
/// one text, or it was not found good.
pub(super) struct VerifiedTokens(Cache<Digest, Arc<Verified>>);

pub(super) type Digest = [u8; SHA256_OUTPUT_LEN];

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl VerifiedTokens {
    /// What a token is remembered by.
    pub(super) fn digest(text: &str) -> Digest {
        let mut bytes = Digest::default();
        bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        bytes
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<Arc<Verified>> {
        self.0.get(digest)
    }

    pub(super) fn put(&self, digest: Digest, verified: Arc<Verified>) {
        self.0.insert(digest, verified);
    }

    /// Once it has expired there is no use in remembering a token.
    pub(super) fn forget(&self, digest: &Digest) {
        self.0.remove(digest);
    }
}
