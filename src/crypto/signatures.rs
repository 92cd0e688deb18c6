//! PASETO's `v4.public` as text and signature, with AWS-LC's Ed25519, which takes half the time of the one that the library
//! brings, and with a base64 that reads one spelling and no other (docs/decisions/0014).

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, ParsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pasetors::{
    keys::AsymmetricPublicKey,
    version4::{PublicToken, V4},
};

/// What a signature has at its end (RFC 8032).
const SIGNATURE_BYTES: usize = 64;

/// A token that was taken apart, and of which nothing is believed yet.
pub(super) struct Untrusted {
    /// The payload, and its signature behind it.
    message: Vec<u8>,
    footer: Vec<u8>,
}

impl Untrusted {
    /// Reads a token, if it is spelled as it would be written: the base64 takes neither padding nor bits to spare. A second
    /// spelling would be a way around whatever remembers tokens.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (message, footer) = text.strip_prefix(PublicToken::HEADER)?.split_once('.')?;
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let token = Self { message: decoded(message)?, footer: decoded(footer)? };
        (token.message.len() > SIGNATURE_BYTES).then_some(token)
    }

    /// What is signed, beside the footer.
    pub(super) fn payload(&self) -> &[u8] {
        &self.message[..self.message.len() - SIGNATURE_BYTES]
    }

    pub(super) fn footer(&self) -> &[u8] {
        &self.footer
    }

    fn signature(&self) -> &[u8] {
        &self.message[self.message.len() - SIGNATURE_BYTES..]
    }
}

/// A key that verifies.
#[derive(Debug)]
pub(super) struct Verifier(ParsedPublicKey);

impl Verifier {
    /// Made ready once, for all tokens.
    pub(super) fn new(public: &AsymmetricPublicKey<V4>) -> Option<Self> {
        ParsedPublicKey::new(&ED25519, public.as_bytes()).ok().map(Self)
    }

    /// Whether the key signed what the token says, with no implicit assertion.
    pub(super) fn signed(&self, token: &Untrusted) -> bool {
        self.0.verify_sig(&authenticated(token.payload(), token.footer()), token.signature()).is_ok()
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
    use pasetors::{
        keys::AsymmetricSecretKey,
        token::{Public, UntrustedToken},
    };
    use proptest::prelude::*;

    use super::*;

    /// The same key here, and in the library.
    fn keys(seed: [u8; 32]) -> (Ed25519KeyPair, AsymmetricSecretKey<V4>, AsymmetricPublicKey<V4>) {
        let ours = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let public = ours.public_key().as_ref().to_vec();
        let secret = AsymmetricSecretKey::<V4>::from(&[seed.as_slice(), &public].concat()).unwrap();
        (ours, secret, AsymmetricPublicKey::<V4>::from(&public).unwrap())
    }

    /// As the library reads it.
    fn theirs(text: &str) -> Option<UntrustedToken<Public, V4>> {
        UntrustedToken::try_from(text).ok()
    }

    fn verifies(public: &AsymmetricPublicKey<V4>, text: &str) -> bool {
        let ours = Untrusted::read(text).is_some_and(|token| Verifier::new(public).unwrap().signed(&token));
        // Told of no footer, the library would take it that there is none.
        let library = theirs(text)
            .is_some_and(|token| PublicToken::verify(public, &token, Some(token.untrusted_footer()), None).is_ok());
        assert_eq!(ours, library, "{text}");
        ours
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn signs_and_verifies_as_the_library_does(seed: [u8; 32], payload in ".{1,200}", footer in ".{1,40}") {
            let (ours, secret, public) = keys(seed);
            let (payload, footer) = (payload.as_bytes(), footer.as_bytes());
            let text = sign(&ours, payload, footer);
            prop_assert_eq!(&text, &PublicToken::sign(&secret, payload, Some(footer), None).unwrap());
            prop_assert!(verifies(&public, &text));
        }

        #[test]
        fn refuses_what_the_library_refuses(seed: [u8; 32], other: [u8; 32], at: prop::sample::Index, bit in 0..8_u8) {
            let (ours, secret, public) = keys(seed);
            let text = sign(&ours, b"{\"sub\":\"ada\"}", b"footer");

            let (message, footer) = text[PublicToken::HEADER.len()..].split_once('.').unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(message).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let changed = format!("{}{}.{footer}", PublicToken::HEADER, URL_SAFE_NO_PAD.encode(bytes));
            prop_assert!(!verifies(&public, &changed), "a changed bit");

            let elsewhere = PublicToken::sign(&secret, b"{\"sub\":\"ada\"}", Some(b"other"), None).unwrap();
            prop_assert!(!verifies(&public, &format!("{}.{footer}", elsewhere.rsplit_once('.').unwrap().0)), "another footer");
            let asserted = PublicToken::sign(&secret, b"{\"sub\":\"ada\"}", Some(b"footer"), Some(b"x")).unwrap();
            prop_assert!(!verifies(&public, &asserted), "an implicit assertion");
            if other != seed {
                prop_assert!(!verifies(&keys(other).2, &text), "another key");
            }
        }

        /// With a character more, less or another somewhere: what we read the library reads too, and it would be written so.
        #[test]
        fn reads_one_spelling_alone(
            payload in proptest::collection::vec(any::<u8>(), 1..40),
            footer in proptest::collection::vec(any::<u8>(), 0..9),
            at: prop::sample::Index,
            with in prop::sample::select(vec!["", "=", "==", ".", "A", "B", "_", "-", "+", "/", " ", "\n", "é", "v4.public."]),
            is_inserted: bool,
        ) {
            let mut text = sign(&keys([7; 32]).0, &payload, &footer);
            let at = at.index(text.len() + 1);
            let end = if is_inserted { at } else { (at + 1).min(text.len()) };
            text.replace_range(at..end, with);
            let written = |message: &[u8], footer: &[u8]| {
                format!("{}{}.{}", PublicToken::HEADER, URL_SAFE_NO_PAD.encode(message), URL_SAFE_NO_PAD.encode(footer))
            };
            let library = theirs(&text).filter(|token| written(token.untrusted_message(), token.untrusted_footer()) == text);
            let ours = Untrusted::read(&text);
            prop_assert_eq!(ours.is_some(), library.is_some(), "{}", text);
            if let (Some(ours), Some(library)) = (ours, library) {
                prop_assert_eq!(ours.payload(), library.untrusted_payload());
                prop_assert_eq!(ours.footer(), library.untrusted_footer());
            }
        }
    }
}
