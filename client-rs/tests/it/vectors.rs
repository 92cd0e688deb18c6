//! The official PASETO and PASERK vectors, as far as a verifier of access tokens meets them.

use std::collections::HashMap;

use countersign_client::{KeySetError, Refusal};
use pasetors::{
    keys::{AsymmetricPublicKey, AsymmetricSecretKey},
    version4::V4,
};
use serde_json::{Value, json};

use crate::support::{
    FakeClock, Forge, ISSUER,
    forge::{good, key_set},
};

const TOKENS: &str = include_str!("../../../tests/vectors/paseto/v4.json");
const PUBLIC: &str = include_str!("../../../tests/vectors/paseto/PASERK/k4.public.json");
const IDS: &str = include_str!("../../../tests/vectors/paseto/PASERK/k4.pid.json");

fn tests(file: &str) -> Vec<Value> {
    let Value::Array(tests) = serde_json::from_str::<Value>(file).unwrap()["tests"].take() else { panic!("a list") };
    tests
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The key pair of the vectors.
fn forge() -> Forge {
    let test = tests(TOKENS).into_iter().find(|test| test["name"] == "4-S-1").unwrap();
    let public = AsymmetricPublicKey::<V4>::from(&bytes(&test["public-key"])).unwrap();
    Forge::of(AsymmetricSecretKey::<V4>::from(&bytes(&test["secret-key"])).unwrap(), &public)
}

#[tokio::test]
async fn the_vectors_key_verifies_what_is_ours_and_no_token_of_the_vectors_is() {
    let forge = forge();
    let verifier = forge.verifier();
    assert!(verifier.verify(&forge.sign(&good())).await.is_ok());
    let tests = tests(TOKENS);
    assert_eq!(tests.len(), 17);
    for test in tests {
        let token = test["token"].as_str().unwrap();
        assert_eq!(verifier.verify(token).await, Err(Refusal::Invalid), "{}", test["name"]);
    }
}

#[test]
fn a_published_key_counts_under_its_own_id_alone() {
    let keys: HashMap<_, _> = tests(PUBLIC)
        .into_iter()
        .filter(|test| test["expect-fail"] == false)
        .map(|test| (test["key"].to_string(), test["paserk"].clone()))
        .collect();
    let build = |kid: &Value, key: &Value, issuer: &str| {
        let set = key_set(&[json!({ "kid": kid, "key": key, "not_after": null })]);
        forge().builder(&FakeClock::default()).fixed_keys(set.replace(ISSUER, issuer)).build()
    };
    let (other, mut seen) = (json!(forge().kid), 0);
    for test in tests(IDS).into_iter().filter(|test| test["expect-fail"] == false) {
        let (kid, key) = (&test["paserk"], &keys[&test["key"].to_string()]);
        assert!(build(kid, key, ISSUER).is_ok(), "{kid} {key}");
        let refused = build(&other, key, ISSUER).unwrap_err();
        let countersign_client::BuildError::Keys(refused) = refused else { panic!("{refused}") };
        assert!(matches!(refused, KeySetError::Empty), "{refused}");
        assert!(build(kid, key, "https://auth.example.org").is_err(), "another service's");
        seen += 1;
    }
    assert_eq!(seen, 3);
}
