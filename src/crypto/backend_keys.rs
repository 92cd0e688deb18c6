//! Keys of other services: random, and recognised by a digest, so that a stolen database lets nobody in.

use aws_lc_rs::{
    constant_time,
    digest::{SHA256, digest},
};

use crate::{
    domain::{BackendDigest, BackendId, BackendKey, BackendKeyParts},
    entropy::Entropy,
};

/// A new key, and what it will be recognised by.
#[must_use]
pub fn new_backend_key(id: BackendId, entropy: &dyn Entropy) -> (BackendKey, BackendDigest) {
    let parts = BackendKeyParts { id, secret: entropy.bytes() };
    (BackendKey::from_parts(&parts), BackendDigest::from_bytes(digest_of(&parts.secret)))
}

/// Whether it is the key that has this digest.
#[must_use]
pub fn is_backend_key(parts: &BackendKeyParts, expected: &BackendDigest) -> bool {
    constant_time::verify_slices_are_equal(&digest_of(&parts.secret), expected.as_bytes()).is_ok()
}

fn digest_of(secret: &[u8; 32]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, secret).as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;

    #[test]
    fn a_key_fits_its_own_digest_alone() {
        let id = BackendId::from_bytes([1; 16]);
        let ((one, of_one), (other, _)) = (new_backend_key(id, &OsEntropy), new_backend_key(id, &OsEntropy));
        assert!(is_backend_key(&one.parts().unwrap(), &of_one));
        assert!(!is_backend_key(&other.parts().unwrap(), &of_one));
    }
}
