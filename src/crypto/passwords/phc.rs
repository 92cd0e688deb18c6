//! Argon2id as it is stored: PHC strings (`$argon2id$v=19$m=…,t=…,p=…$salt$tag`), read with a cap on what they may cost.

use argon2_rust::{
    Algorithm, Argon2, Hasher, Params, Version,
    params::{Memory, TagLen},
};
use aws_lc_rs::constant_time;
use phc::{Ident, Output, ParamsString, PasswordHash as Phc, Salt};
use zeroize::Zeroizing;

use crate::{
    crypto::{CryptoError, HashingSettings},
    domain::{Password, PasswordHash},
};

/// RFC 9106 §4: a salt of 16 bytes, a tag of 32.
pub(super) const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 32;

const ALGORITHM: &str = "argon2id";
const VERSION: Version = Version::V0x13;

/// The most that a stored hash may ask for: a row that was written by somebody else must not be a way to take the memory.
const MAX_MEMORY_KIB: u32 = 256 * 1_024;
const MAX_ITERATIONS: u32 = 10;
const MAX_LANES: u32 = 8;

/// A way to hash: Argon2id with its parameters.
#[derive(Clone, Copy)]
pub(super) struct Recipe(Params);

/// A stored hash, read.
pub(super) struct Stored {
    recipe: Recipe,
    salt: Salt,
    tag: Output,
}

impl Recipe {
    /// The recipe of new hashes.
    pub(super) fn new(settings: &HashingSettings) -> Result<Self, CryptoError> {
        Self::from_costs(settings.memory_kib, settings.iterations, settings.lanes)
            .ok_or(CryptoError::Failed { operation: "argon2 set-up" })
    }

    fn from_costs(memory_kib: u32, iterations: u32, lanes: u32) -> Option<Self> {
        let params = Params::builder()
            .memory(Memory::kib(memory_kib.into()))
            .passes(iterations)
            .lanes(lanes)
            // One after the other: it is calls that are hashed side by side.
            .threads(1)
            .tag_len(TagLen::bytes(TAG_BYTES as u64));
        params.build().ok().map(Self)
    }

    /// The memory to hash in. It is kept from call to call, and wiped after each: fresh memory costs a fifth of the time.
    pub(super) fn memory(self) -> Hasher {
        self.argon2().hasher()
    }

    /// How much of it a hash takes, in KiB.
    pub(super) fn memory_kib(self) -> usize {
        self.0.memory_blocks() as usize
    }

    /// Hashes in `memory`, which is as large afterwards as the largest hash in it so far.
    pub(super) fn tag(
        self,
        password: &Password,
        salt: &[u8],
        memory: &mut Hasher,
    ) -> Result<Zeroizing<[u8; TAG_BYTES]>, CryptoError> {
        let mut tag = Zeroizing::new([0; TAG_BYTES]);
        memory.set_argon2(self.argon2());
        memory
            .hash_into(password.expose(), salt, tag.as_mut_slice())
            .map_err(|_| CryptoError::Failed { operation: "argon2" })?;
        Ok(tag)
    }

    /// Hashes for keeping.
    pub(super) fn hash(
        self,
        password: &Password,
        salt: [u8; SALT_BYTES],
        memory: &mut Hasher,
    ) -> Result<PasswordHash, CryptoError> {
        let tag = self.tag(password, &salt, memory)?;
        let phc = self.phc(&salt, tag.as_slice()).ok_or(CryptoError::Failed { operation: "PHC encoding" })?;
        Ok(PasswordHash::from_phc(phc.to_string()))
    }

    fn phc(self, salt: &[u8], tag: &[u8]) -> Option<Phc> {
        let mut params = ParamsString::new();
        for (name, value) in [("m", self.0.memory_kib()), ("t", self.0.passes()), ("p", self.0.lanes())] {
            params.add_decimal(name, value).ok()?;
        }
        Some(Phc {
            algorithm: Ident::new(ALGORITHM).ok()?,
            version: Some(VERSION.as_u32()),
            params,
            salt: Some(Salt::new(salt).ok()?),
            hash: Some(Output::new(tag).ok()?),
        })
    }

    fn argon2(self) -> Argon2 {
        Argon2::new(Algorithm::Argon2id, VERSION, self.0)
    }

    /// Whether `self` costs an attacker more than `other`, in memory or in time.
    fn is_stronger_than(self, other: Self) -> bool {
        let (ours, theirs) = (self.0, other.0);
        ours.memory_kib() > theirs.memory_kib()
            || ours.memory_kib() == theirs.memory_kib() && ours.passes() > theirs.passes()
    }
}

impl Stored {
    /// Reads a hash, and refuses one that would cost too much before it costs anything.
    pub(super) fn read(hash: &PasswordHash) -> Result<Self, CryptoError> {
        Self::parse(hash.expose()).ok_or(CryptoError::MalformedHash)
    }

    fn parse(text: &str) -> Option<Self> {
        let phc = Phc::new(text).ok()?;
        if phc.algorithm.as_str() != ALGORITHM || phc.version != Some(VERSION.as_u32()) {
            return None;
        }
        // Exactly these: what else there is would change the hash.
        let [(m, memory_kib), (t, iterations), (p, lanes)] = phc.params.iter().collect::<Vec<_>>().try_into().ok()?;
        if [m.as_str(), t.as_str(), p.as_str()] != ["m", "t", "p"] {
            return None;
        }
        let (memory_kib, iterations, lanes) =
            (memory_kib.decimal().ok()?, iterations.decimal().ok()?, lanes.decimal().ok()?);
        let (salt, tag) = (phc.salt?, phc.hash?);
        if memory_kib > MAX_MEMORY_KIB || iterations > MAX_ITERATIONS || lanes > MAX_LANES || tag.len() != TAG_BYTES {
            return None;
        }
        Some(Self { recipe: Recipe::from_costs(memory_kib, iterations, lanes)?, salt, tag })
    }

    /// Whether `password` is the one.
    pub(super) fn matches(&self, password: &Password, memory: &mut Hasher) -> Result<bool, CryptoError> {
        let tag = self.recipe.tag(password, self.salt.as_ref(), memory)?;
        Ok(constant_time::verify_slices_are_equal(tag.as_slice(), self.tag.as_bytes()).is_ok())
    }

    /// Whether it should be made again with `recipe`.
    pub(super) fn is_weaker_than(&self, recipe: Recipe) -> bool {
        recipe.is_stronger_than(self.recipe)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    const CHEAP: HashingSettings = HashingSettings::CHEAP;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        // In memory that other hashes were made in before, as it is in the service.
        #[test]
        fn a_tag_is_the_one_that_another_implementation_makes(
            password in "\\PC{0,64}",
            salt in vec(any::<u8>(), 8..=48),
            (lanes, memory_kib) in (1_u32..=4).prop_flat_map(|lanes| (Just(lanes), 8 * lanes..=160)),
            iterations in 1_u32..=4,
        ) {
            thread_local!(static MEMORY: RefCell<Hasher> = RefCell::new(Recipe::new(&CHEAP).unwrap().memory()));
            let (recipe, typed) = (Recipe::from_costs(memory_kib, iterations, lanes).unwrap(), Password::parse(&password));
            prop_assume!(typed.is_ok());
            let typed = typed.unwrap();
            let tag = MEMORY.with_borrow_mut(|memory| recipe.tag(&typed, &salt, memory)).unwrap();
            let params = argon2::Params::new(memory_kib, iterations, lanes, Some(TAG_BYTES)).unwrap();
            let oracle = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
            let mut expected = [0; TAG_BYTES];
            oracle.hash_password_into(typed.expose(), &salt, &mut expected).unwrap();
            prop_assert_eq!(*tag, expected);
        }
    }

    #[test]
    fn a_hash_by_another_implementation_is_read() {
        // `argon2` of the reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1.
        let hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let stored = Stored::read(&PasswordHash::from_phc(hash.to_owned())).unwrap();
        let mut memory = Recipe::new(&CHEAP).unwrap().memory();
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
            format!("$argon2id$v=19$m=64,t=2,p=1,keyid=AAAA$c29tZXNhbHQ${tag}"),
            format!("$argon2id$v=19$t=2,m=64,p=1$c29tZXNhbHQ${tag}"),
            "$2b$12$abcdefghijklmnopqrstuv".to_owned(),
        ] {
            assert!(Stored::read(&PasswordHash::from_phc(hash.clone())).is_err(), "{hash}");
        }
    }

    #[test]
    fn a_hash_is_read_back_and_is_outgrown() {
        let recipe = Recipe::new(&CHEAP).unwrap();
        let password = Password::parse("correct horse").unwrap();
        let hash = recipe.hash(&password, [7; SALT_BYTES], &mut recipe.memory()).unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$m=32,t=1,p=1$"), "{}", hash.expose());
        let stored = Stored::read(&hash).unwrap();
        assert!(stored.matches(&password, &mut recipe.memory()).unwrap());
        assert!(!stored.is_weaker_than(recipe));
        assert!(stored.is_weaker_than(Recipe::new(&HashingSettings { memory_kib: 64, ..CHEAP }).unwrap()));
        assert!(stored.is_weaker_than(Recipe::new(&HashingSettings { iterations: 2, ..CHEAP }).unwrap()));
    }
}
