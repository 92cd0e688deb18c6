//! A signing key that the service uses and the test knows: what it signs can be wrong in one way and right in all others.

use countersign::{
    crypto::{MasterKeys, seal_new_key},
    domain::{KeyState, SealedKey},
    entropy::Entropy,
};
use pasetors::{
    keys::{AsymmetricPublicKey, AsymmetricSecretKey},
    token::{Public, UntrustedToken},
    version4::{PublicToken, V4},
};
use serde_json::Value;

use crate::support::{Engine, TestApp};

/// A key pair whose secret half is known.
pub(super) struct Forge {
    pub(super) seed: [u8; 32],
    pub(super) key: SealedKey,
    secret: AsymmetricSecretKey<V4>,
}

/// Gives what is foretold.
struct Foretold([u8; 32]);

impl Entropy for Foretold {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0);
    }
}

impl Forge {
    /// The pair of a seed, sealed under `master`.
    pub(super) fn new(byte: u8, master: &str, state: KeyState) -> Self {
        let seed: [u8; 32] = std::array::from_fn(|index| byte.wrapping_add(u8::try_from(index).unwrap()));
        let now = countersign::domain::Timestamp::from_unix_millis(1_800_000_000_000);
        let key = seal_new_key(&MasterKeys::parse(master).unwrap(), state, now, &Foretold(seed)).unwrap();
        let public = AsymmetricPublicKey::<V4>::try_from(key.public.as_str()).unwrap();
        let secret = AsymmetricSecretKey::<V4>::from(&[seed.as_slice(), public.as_bytes()].concat()).unwrap();
        Self { seed, key, secret }
    }

    /// A service that signs with a key of which the test has a copy.
    pub(super) async fn behind(engine: Engine) -> (TestApp, Self) {
        let app = TestApp::spawn(engine).await;
        let forge = Self::new(1, &app.setup.master_keys, KeyState::Active);
        app.database.execute("DELETE FROM signing_keys").await;
        assert!(app.store.add_signing_key(&forge.key).await.unwrap());
        (app.restart().await, forge)
    }

    /// Signs anything.
    pub(super) fn sign(&self, payload: &str, footer: &str) -> String {
        self.sign_with(payload, footer, None)
    }

    pub(super) fn sign_with(&self, payload: &str, footer: &str, implicit_assertion: Option<&[u8]>) -> String {
        PublicToken::sign(&self.secret, payload.as_bytes(), Some(footer.as_bytes()), implicit_assertion).unwrap()
    }

    pub(super) fn footer(&self) -> String {
        format!(r#"{{"kid":"{}"}}"#, self.key.id)
    }
}

/// What a token says, signed or not.
pub(super) fn payload(token: &str) -> String {
    let token = UntrustedToken::<Public, V4>::try_from(token).unwrap();
    String::from_utf8(token.untrusted_payload().to_vec()).unwrap()
}

/// The payload with a claim changed.
pub(super) fn with_claim(payload: &str, name: &str, value: Value) -> String {
    let mut claims: serde_json::Map<String, Value> = serde_json::from_str(payload).unwrap();
    claims.insert(name.to_owned(), value);
    serde_json::to_string(&claims).unwrap()
}

/// The payload without a claim.
pub(super) fn without_claim(payload: &str, name: &str) -> String {
    let mut claims: serde_json::Map<String, Value> = serde_json::from_str(payload).unwrap();
    claims.remove(name).unwrap();
    serde_json::to_string(&claims).unwrap()
}

/// The payload with a claim said again, after all others.
pub(super) fn with_claim_twice(payload: &str, name: &str, value: &Value) -> String {
    format!(r#"{},"{name}":{value}}}"#, payload.strip_suffix('}').unwrap())
}
