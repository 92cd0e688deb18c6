//! Argon2id as it is stored: PHC strings (`$argon2id$v=19$m=…,t=…,p=…$salt$tag`), read with a cap on what they may cost.

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Ident, Output, ParamsString, PasswordHash as Phc, Salt},
};
use aws_lc_rs::constant_time;
use zeroize::Zeroizing;

use crate::{
    crypto::{CryptoError, HashingSettings},
    domain::{Password, PasswordHash},
};

/// RFC 9106 §4: a salt of 16 bytes, a tag of 32.
pub(super) const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 32;

/// The most that a stored hash may ask for: a row that was written by somebody else must not be a way to take the memory.
const MAX_MEMORY_KIB: u32 = 256 * 1_024;
const MAX_ITERATIONS: u32 = 10;
const MAX_LANES: u32 = 8;

/// A way to hash: Argon2id with its parameters.
pub(super) struct Recipe {
    argon2: Argon2<'static>,
}

/// A stored hash, read.
pub(super) struct Stored {
    recipe: Recipe,
    salt: Salt,
    tag: Output,
}

impl Recipe {
    /// The recipe of new hashes.
    pub(super) fn new(settings: &HashingSettings) -> Result<Self, CryptoError> {
        let params = Params::new(settings.memory_kib, settings.iterations, settings.lanes, Some(TAG_BYTES))
            .map_err(|_| CryptoError::Failed { operation: "argon2 set-up" })?;
        Ok(Self { argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params) })
    }

    /// Hashes in `memory`, which is kept from call to call: fresh memory for each hash costs a tenth of its time, and the
    /// allocator keeps a gigabyte of it.
    pub(super) fn tag(
        &self,
        password: &Password,
        salt: &[u8],
        memory: &mut Vec<Block>,
    ) -> Result<Zeroizing<[u8; TAG_BYTES]>, CryptoError> {
        let mut tag = Zeroizing::new([0; TAG_BYTES]);
        let blocks = self.argon2.params().block_count();
        if memory.len() < blocks {
            memory.resize(blocks, Block::default());
        }
        self.argon2
            .hash_password_into_with_memory(password.expose(), salt, tag.as_mut_slice(), &mut memory[..blocks])
            .map_err(|_| CryptoError::Failed { operation: "argon2" })?;
        Ok(tag)
    }

    /// Hashes for keeping.
    pub(super) fn hash(
        &self,
        password: &Password,
        salt: [u8; SALT_BYTES],
        memory: &mut Vec<Block>,
    ) -> Result<PasswordHash, CryptoError> {
        let failed = CryptoError::Failed { operation: "PHC encoding" };
        let tag = self.tag(password, &salt, memory)?;
        let phc = Phc {
            algorithm: Ident::new("argon2id").map_err(|_| failed.clone())?,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(self.argon2.params()).map_err(|_| failed.clone())?,
            salt: Some(Salt::new(&salt).map_err(|_| failed.clone())?),
            hash: Some(Output::new(tag.as_slice()).map_err(|_| failed)?),
        };
        Ok(PasswordHash::from_phc(phc.to_string()))
    }

    /// Whether `self` costs an attacker more than `other`, in memory or in time.
    fn is_stronger_than(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.argon2.params(), other.argon2.params());
        ours.m_cost() > theirs.m_cost() || ours.m_cost() == theirs.m_cost() && ours.t_cost() > theirs.t_cost()
    }
}

impl Stored {
    /// Reads a hash, and refuses one that would cost too much before it costs anything.
    pub(super) fn read(hash: &PasswordHash) -> Result<Self, CryptoError> {
        Self::parse(hash.expose()).ok_or(CryptoError::MalformedHash)
    }

    fn parse(text: &str) -> Option<Self> {
        let phc = Phc::new(text).ok()?;
        if phc.algorithm.as_str() != "argon2id" || phc.version != Some(Version::V0x13.into()) {
            return None;
        }
        let params = Params::try_from(&phc).ok()?;
        let is_bearable =
            params.m_cost() <= MAX_MEMORY_KIB && params.t_cost() <= MAX_ITERATIONS && params.p_cost() <= MAX_LANES;
        let (salt, tag) = (phc.salt?, phc.hash?);
        if !is_bearable || tag.len() != TAG_BYTES {
            return None;
        }
        Some(Self { recipe: Recipe { argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params) }, salt, tag })
    }

    /// Whether `password` is the one.
    pub(super) fn matches(&self, password: &Password, memory: &mut Vec<Block>) -> Result<bool, CryptoError> {
        let tag = self.recipe.tag(password, self.salt.as_ref(), memory)?;
        Ok(constant_time::verify_slices_are_equal(tag.as_slice(), self.tag.as_bytes()).is_ok())
    }

    /// Whether it should be made again with `recipe`.
    pub(super) fn is_weaker_than(&self, recipe: &Recipe) -> bool {
        recipe.is_stronger_than(&self.recipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: HashingSettings = HashingSettings::CHEAP;

    #[test]
    fn a_hash_by_another_implementation_is_read() {
        // `argon2` of the reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1.
        let hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let stored = Stored::read(&PasswordHash::from_phc(hash.to_owned())).unwrap();
        let mut memory = Vec::new();
        assert!(stored.matches(&Password::parse("password").unwrap(), &mut memory).unwrap());
        assert!(!stored.matches(&Password::parse("Password").unwrap(), &mut memory).unwrap());
    }

    #[test]
    fn what_is_malformed_foreign_or_too_costly_is_refused_before_any_work() {
        let tag = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        for hash in [
            String::new(),
            "$".to_owned(),
            "plain".to_owned(),
            format!("$argon2id$v=19$m=262145,t=2,p=1$c29tZXNhbHQ${tag}"),
            format!("$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ${tag}"),
            format!("$argon2id$v=19$m=64,t=11,p=1$c29tZXNhbHQ${tag}"),
            format!("$argon2id$v=19$m=256,t=1,p=9$c29tZXNhbHQ${tag}"),
            format!("$argon2i$v=19$m=64,t=2,p=1$c29tZXNhbHQ${tag}"),
            format!("$argon2id$v=16$m=64,t=2,p=1$c29tZXNhbHQ${tag}"),
            "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ".to_owned(),
            "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$AAAA".to_owned(),
            "$2b$12$abcdefghijklmnopqrstuv".to_owned(),
        ] {
            assert!(Stored::read(&PasswordHash::from_phc(hash.clone())).is_err(), "{hash}");
        }
    }

    #[test]
    fn a_hash_is_read_back_and_is_outgrown() {
        let recipe = Recipe::new(&CHEAP).unwrap();
        let password = Password::parse("correct horse").unwrap();
        let hash = recipe.hash(&password, [7; SALT_BYTES], &mut Vec::new()).unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$m=32,t=1,p=1$"), "{}", hash.expose());
        let stored = Stored::read(&hash).unwrap();
        assert!(stored.matches(&password, &mut Vec::new()).unwrap());
        assert!(!stored.is_weaker_than(&recipe));
        assert!(stored.is_weaker_than(&Recipe::new(&HashingSettings { memory_kib: 64, ..CHEAP }).unwrap()));
        assert!(stored.is_weaker_than(&Recipe::new(&HashingSettings { iterations: 2, ..CHEAP }).unwrap()));
    }
}
