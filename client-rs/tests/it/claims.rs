//! Tokens that are signed with the right key and still are not good: every check of what they say stands for itself.

use std::time::{Duration, SystemTime};

use countersign_client::Refusal;
use serde_json::{Value, json};

use crate::support::{
    FakeClock, Forge,
    forge::{good, with, without},
};

const CLAIMS: [&str; 14] =
    ["iss", "aud", "sub", "sid", "uep", "jti", "iat", "nbf", "exp", "typ", "roles", "auth_time", "amr", "aal"];

#[tokio::test]
async fn a_good_token_says_what_it_says() {
    let forge = Forge::default();
    let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    // Signed, and again out of the memory of tokens that passed.
    let (verifier, token) = (forge.verifier(), forge.sign(&with(&good(), "a_later_claim", json!("is passed over"))));
    for _ in 0..2 {
        let claims = verifier.verify(&token).await.unwrap();
        assert_eq!(claims.user.to_string(), "01a21249-4c42-7e9d-af60-cd2513ae5b02");
        assert_eq!(claims.session.to_string(), "01a21249-4c80-7441-9493-8c81caf04e11");
        assert_eq!(claims.token.to_string(), "01a21249-4c80-7866-9907-c2a86fe2db8d");
        assert_eq!((claims.epoch, claims.assurance), (3, 1));
        assert_eq!(
            (claims.roles.as_slice(), claims.methods.as_slice()),
            (&["admin".to_owned()][..], &["pwd".to_owned()][..])
        );
        assert!(claims.has_role("admin") && !claims.has_role("Admin") && !claims.has_role(""));
        assert_eq!((claims.issued_at, claims.expires_at), (at(1_800_000_000), at(1_800_000_300)));
        assert_eq!(claims.authenticated_at, at(1_799_999_400));
    }
}

#[tokio::test]
async fn a_token_for_somebody_or_something_else_is_refused() {
    let (forge, claims) = (Forge::default(), good());
    let verifier = forge.verifier();
    let values: Value = serde_json::from_str(&claims).unwrap();
    let with = |name, value| with(&claims, name, value);
    let mut wrong = vec![
        with("iss", json!("https://auth.example.org")),
        with("iss", json!("https://auth.example.com/")),
        with("iss", json!("HTTPS://auth.example.com")),
        with("iss", json!("")),
        with("aud", json!("other-service")),
        with("aud", json!("Countersign")),
        with("aud", json!("countersign ")),
        with("aud", json!(["countersign"])),
        with("typ", json!("refresh")),
        with("typ", json!("Access")),
        with("typ", json!("")),
        with("sub", json!("ada@example.com")),
        with("sub", json!("01A21249-4C42-7E9D-AF60-CD2513AE5B02")),
        with("sid", json!("../sessions")),
        with("jti", json!("1")),
        with("uep", json!("0")),
        with("uep", json!(0.5)),
        with("roles", json!("admin")),
        with("roles", json!(["Admin"])),
        with("roles", json!(["admin", ""])),
        with("roles", json!(["a".repeat(33)])),
        with("roles", json!([1])),
        with("aal", json!(-1)),
        with("aal", json!(256)),
        with("exp", json!(2_000_000_000)),
        with("exp", json!("1 hour")),
        with("exp", json!("2099")),
        with("exp", json!("2099-01-01")),
        with("exp", json!("2099-01-01T00:00:00")),
        with("exp", json!("2099-13-01T00:00:00Z")),
        with("nbf", json!("yesterday")),
        with("iat", json!("")),
        with("auth_time", json!(0)),
    ];
    for name in CLAIMS {
        wrong.push(without(&claims, name));
        wrong.push(with(name, Value::Null));
        wrong.push(with(name, json!({})));
        wrong.push(format!(r#"{},"{name}":{}}}"#, claims.strip_suffix('}').unwrap(), values[name]));
    }
    wrong.push(serde_json::to_string(&CLAIMS.map(|name| values[name].clone())).unwrap());
    wrong.extend(["{}", "[]", "null", "\"\"", "{", "\u{0}"].map(ToOwned::to_owned));
    wrong.extend([format!("{claims}x"), format!("[{claims}]"), format!("{claims}{claims}")]);
    for claims in &wrong {
        assert_eq!(verifier.verify(&forge.sign(claims)).await, Err(Refusal::Invalid), "{claims}");
    }
}

#[tokio::test]
async fn a_footer_is_believed_for_nothing_but_one_of_the_keys() {
    let (forge, stranger, claims) = (Forge::default(), Forge::default(), good());
    let (kid, verifier) = (forge.kid.clone(), forge.verifier());
    for footer in [
        String::new(),
        "null".to_owned(),
        "{}".to_owned(),
        format!("\"{kid}\""),
        format!("[\"{kid}\"]"),
        r#"{"kid":null}"#.to_owned(),
        format!(r#"{{"kid":["{kid}"]}}"#),
        format!(r#"{{"kid":"{kid}","kid":"{kid}"}}"#),
        format!(r#"{{"kid":"{}","kid":"{kid}"}}"#, stranger.kid),
        format!(r#"{{"kid":"{kid}","jku":"https://evil.test/keys"}}"#),
        format!(r#"{{"kid":"{kid}","alg":"none"}}"#),
        format!(r#"{{"KID":"{kid}"}}"#),
        format!(r#"{{"kid":"{kid}"}}x"#),
        format!(r#"{{"kid":"{}"}}"#, kid.to_uppercase()),
        format!(r#"{{"kid":"\u006b{}"}}"#, &kid[1..]),
        format!(r#"{{ "kid": "{kid}" }}"#),
        format!(r#"{{"kid":"{}"}}"#, forge.public),
        format!(r#"{{"kid":"{}"}}"#, "k".repeat(1 << 20)),
        "[".repeat(128),
        stranger.footer(),
    ] {
        let token = forge.sign_with(&claims, &footer, None);
        assert_eq!(verifier.verify(&token).await, Err(Refusal::Invalid), "{footer}");
    }
    for token in [
        stranger.sign_with(&claims, &forge.footer(), None),
        stranger.sign(&claims),
        forge.sign_with(&claims, &forge.footer(), Some(b"another purpose")),
        forge.sign(&claims).replacen("v4.public.", "v4.local.", 1),
        forge.sign(&claims).replacen("v4.public.", "v3.public.", 1),
    ] {
        assert_eq!(verifier.verify(&token).await, Err(Refusal::Invalid), "{token}");
    }
    assert!(verifier.verify(&forge.sign(&claims)).await.is_ok());
}

#[tokio::test]
async fn thirty_seconds_between_two_clocks_are_nothing_and_one_more_is_too_much() {
    let (forge, clock) = (Forge::default(), FakeClock::default());
    let (verifier, token) = (forge.builder(&clock).build().unwrap(), forge.sign(&good()));
    clock.set_back(Duration::from_secs(31));
    assert_eq!(verifier.verify(&token).await, Err(Refusal::Invalid), "not yet");
    clock.advance(Duration::from_secs(1));
    assert!(verifier.verify(&token).await.is_ok());
    clock.advance(Duration::from_secs(30 + 300 + 29));
    clock.advance(Duration::from_millis(999));
    assert!(verifier.verify(&token).await.is_ok());
    clock.advance(Duration::from_millis(1));
    assert_eq!(verifier.verify(&token).await, Err(Refusal::Expired), "remembered, and looked at all the same");
    let elsewhere = forge.sign(&with(&good(), "aud", json!("other-service")));
    assert_eq!(verifier.verify(&elsewhere).await, Err(Refusal::Invalid), "expired only if good in every other way");
    clock.set_back(Duration::from_secs(300 + 30 + 31));
    assert_eq!(verifier.verify(&token).await, Err(Refusal::Invalid), "not yet, again");
}

#[tokio::test]
async fn no_moment_makes_a_token_panic() {
    let (forge, clock) = (Forge::default(), FakeClock::default());
    let verifier = forge.builder(&clock).build().unwrap();
    for moment in [
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
        "2027-01-15T08:00:00+23:59",
        "2027-01-15T08:00:60Z",
        "2027-01-15T08:00:00.999999999Z",
    ] {
        for name in ["iat", "nbf", "exp", "auth_time"] {
            // Whichever it is: countersign makes no such token, and every one is answered.
            let _ = verifier.verify(&forge.sign(&with(&good(), name, json!(moment)))).await;
        }
    }
    clock.advance(Duration::from_hours(24 * 365 * 100_000_000));
    assert_eq!(verifier.verify(&forge.sign(&good())).await, Err(Refusal::Expired));
}

#[tokio::test]
async fn an_audience_of_its_own_is_asked_for() {
    let forge = Forge::default();
    let verifier = forge.builder(&FakeClock::default()).audience("billing").build().unwrap();
    assert_eq!(verifier.verify(&forge.sign(&good())).await, Err(Refusal::Invalid));
    assert!(verifier.verify(&forge.sign(&with(&good(), "aud", json!("billing")))).await.is_ok());
}
