//! A signing key that the test knows: what it signs can be wrong in one way and right in all others.

use countersign_client::{Verifier, VerifierBuilder};
use pasetors::{
    keys::{AsymmetricKeyPair, AsymmetricPublicKey, AsymmetricSecretKey, Generate as _},
    paserk::{FormatAsPaserk, Id},
    version4::{PublicToken, V4},
};
use serde_json::{Value, json};

use super::{FakeClock, ISSUER};

pub struct Forge {
    secret: AsymmetricSecretKey<V4>,
    pub kid: String,
    pub public: String,
}

fn written(key: &impl FormatAsPaserk) -> String {
    let mut text = String::new();
    key.fmt(&mut text).unwrap();
    text
}

impl Default for Forge {
    fn default() -> Self {
        let pair = AsymmetricKeyPair::<V4>::generate().unwrap();
        Self::of(pair.secret, &pair.public)
    }
}

impl Forge {
    pub fn of(secret: AsymmetricSecretKey<V4>, public: &AsymmetricPublicKey<V4>) -> Self {
        Self { secret, kid: written(&Id::from(public)), public: written(public) }
    }

    /// A verifier that has this key and no other, at the fake clock's beginning.
    pub fn verifier(&self) -> Verifier {
        self.builder(&FakeClock::default()).build().unwrap()
    }

    pub fn builder(&self, clock: &FakeClock) -> VerifierBuilder {
        Verifier::builder(ISSUER).fixed_keys(key_set(&[self.entry()])).clock(clock.reader())
    }

    /// The key as it is published.
    pub fn entry(&self) -> Value {
        json!({ "kid": self.kid, "key": self.public, "status": "active", "not_before": null, "not_after": null })
    }

    pub fn footer(&self) -> String {
        format!(r#"{{"kid":"{}"}}"#, self.kid)
    }

    /// Signs claims that may be anything.
    pub fn sign(&self, payload: &str) -> String {
        self.sign_with(payload, &self.footer(), None)
    }

    pub fn sign_with(&self, payload: &str, footer: &str, implicit_assertion: Option<&[u8]>) -> String {
        PublicToken::sign(&self.secret, payload.as_bytes(), Some(footer.as_bytes()), implicit_assertion).unwrap()
    }

    /// A good token, at the fake clock's beginning, of somebody with these roles.
    pub fn token(&self, roles: &[&str]) -> String {
        self.sign(&with(&good(), "roles", json!(roles)))
    }
}

/// The JSON that countersign publishes, with these keys.
pub fn key_set(keys: &[Value]) -> String {
    json!({ "issuer": ISSUER, "keys": keys }).to_string()
}

/// Claims that pass, made when the fake clock began: 2027-01-15T08:00:00Z.
pub fn good() -> String {
    json!({
        "iss": ISSUER,
        "aud": "countersign",
        "sub": "01a21249-4c42-7e9d-af60-cd2513ae5b02",
        "sid": "01a21249-4c80-7441-9493-8c81caf04e11",
        "uep": 3,
        "jti": "01a21249-4c80-7866-9907-c2a86fe2db8d",
        "iat": "2027-01-15T08:00:00Z",
        "nbf": "2027-01-15T08:00:00Z",
        "exp": "2027-01-15T08:05:00Z",
        "typ": "access",
        "roles": ["admin"],
        "auth_time": "2027-01-15T07:50:00Z",
        "amr": ["pwd"],
        "aal": 1,
    })
    .to_string()
}

/// The claims with one changed.
pub fn with(claims: &str, name: &str, value: Value) -> String {
    let mut claims: serde_json::Map<String, Value> = serde_json::from_str(claims).unwrap();
    claims.insert(name.to_owned(), value);
    serde_json::to_string(&claims).unwrap()
}

/// The claims without one.
pub fn without(claims: &str, name: &str) -> String {
    let mut claims: serde_json::Map<String, Value> = serde_json::from_str(claims).unwrap();
    claims.remove(name).unwrap();
    serde_json::to_string(&claims).unwrap()
}
