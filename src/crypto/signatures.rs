//! PASETO's `v4.public` signatures with AWS-LC's Ed25519, which takes half the time of the one that the library brings
//! (docs/decisions/0014). What a token looks like is still read by the library.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, ParsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pasetors::{
    keys::AsymmetricPublicKey,
    token::{Public, UntrustedToken},
    version4::{PublicToken, V4},
};

/// What a signature has at its end (RFC 8032).
const SIGNATURE_BYTES: usize = 64;

/// A key that verifies.
#[derive(Debug)]
pub(super) struct Verifier(ParsedPublicKey);

impl Verifier {
    /// Made ready once, for all tokens.
    pub(super) fn new(public: &AsymmetricPublicKey<V4>) -> Option<Self> {
        ParsedPublicKey::new(&ED25519, public.as_bytes()).ok().map(Self)
    }

    /// Whether the key signed what the token says, with no implicit assertion.
    pub(super) fn signed(&self, token: &UntrustedToken<Public, V4>) -> bool {
        let payload = token.untrusted_payload();
        let signature = &token.untrusted_message()[payload.len()..];
        self.0.verify_sig(&authenticated(payload, token.untrusted_footer()), signature).is_ok()
    }
}

/// A token with this payload and this footer.
pub(super) fn sign(secret: &Ed25519KeyPair, payload: &[u8], footer: &[u8]) -> String {
    let signature = secret.sign(&authenticated(payload, footer));
    let mut message = Vec::with_capacity(payload.len() + SIGNATURE_BYTES);
    message.extend_from_slice(payload);
    message.extend_from_slice(signature.as_ref());
    let mut text = PublicToken::HEADER.to_owned();
    URL_SAFE_NO_PAD.encode_string(message, &mut text);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(footer, &mut text);
    text
}

/// What is signed: the pre-authentication encoding of header, payload, footer and an empty implicit assertion
/// (<https://github.com/paseto-standard/paseto-spec/blob/master/docs/01-Protocol-Versions/Common.md>).
fn authenticated(payload: &[u8], footer: &[u8]) -> Vec<u8> {
    let parts = [PublicToken::HEADER.as_bytes(), payload, footer, b""];
    let mut all = Vec::with_capacity(8 * (parts.len() + 1) + parts.iter().map(|part| part.len()).sum::<usize>());
    let put_length = |all: &mut Vec<u8>, length: usize| all.extend_from_slice(&(length as u64).to_le_bytes());
    put_length(&mut all, parts.len());
    for part in parts {
        put_length(&mut all, part.len());
        all.extend_from_slice(part);
    }
    all
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::KeyPair as _;
    use pasetors::keys::AsymmetricSecretKey;
    use proptest::prelude::*;

    use super::*;

    /// The same key here, and in the library.
    fn keys(seed: [u8; 32]) -> (Ed25519KeyPair, AsymmetricSecretKey<V4>, AsymmetricPublicKey<V4>) {
        let ours = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let public = ours.public_key().as_ref().to_vec();
        let secret = AsymmetricSecretKey::<V4>::from(&[seed.as_slice(), &public].concat()).unwrap();
        (ours, secret, AsymmetricPublicKey::<V4>::from(&public).unwrap())
    }

    fn read(text: &str) -> UntrustedToken<Public, V4> {
        UntrustedToken::try_from(text).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn signs_and_verifies_as_the_library_does(
            seed: [u8; 32],
            payload in proptest::collection::vec(any::<u8>(), 1..600),
            footer in proptest::collection::vec(any::<u8>(), 1..80),
        ) {
            let (ours, theirs, public) = keys(seed);
            let text = sign(&ours, &payload, &footer);
            prop_assert_eq!(&text, &PublicToken::sign(&theirs, &payload, Some(&footer), None).unwrap());
            prop_assert!(Verifier::new(&public).unwrap().signed(&read(&text)));
        }

        #[test]
        fn refuses_what_the_library_refuses(seed: [u8; 32], other: [u8; 32], at: prop::sample::Index, bit in 0..8_u8) {
            let (ours, theirs, public) = keys(seed);
            let text = sign(&ours, b"{\"sub\":\"ada\"}", b"footer");
            let verifier = Verifier::new(&public).unwrap();

            let (message, footer) = text[PublicToken::HEADER.len()..].split_once('.').unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(message).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let changed = format!("{}{}.{footer}", PublicToken::HEADER, URL_SAFE_NO_PAD.encode(bytes));
            prop_assert!(!verifier.signed(&read(&changed)), "a changed bit");
            prop_assert!(PublicToken::verify(&public, &read(&changed), None, None).is_err());

            let elsewhere = PublicToken::sign(&theirs, b"{\"sub\":\"ada\"}", Some(b"other"), None).unwrap();
            let swapped = format!("{}.{footer}", elsewhere.rsplit_once('.').unwrap().0);
            prop_assert!(!verifier.signed(&read(&swapped)), "another footer");
            let asserted = PublicToken::sign(&theirs, b"{\"sub\":\"ada\"}", Some(b"footer"), Some(b"x")).unwrap();
            prop_assert!(!verifier.signed(&read(&asserted)), "an implicit assertion");
            if other != seed {
                prop_assert!(!Verifier::new(&keys(other).2).unwrap().signed(&read(&text)), "another key");
            }
        }
    }
}
