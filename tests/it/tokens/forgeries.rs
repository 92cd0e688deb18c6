//! Tokens that are signed with our own key and still are not good: every check of what they say stands for itself.

use countersign::{app::Rejection, domain::KeyState, proto::WhoAmIRequest};
use pasetors::{keys::SymmetricKey, version4::LocalToken};
use serde_json::{Value, json};

use super::{
    authenticate,
    forge::{Forge, payload, with_claim, with_claim_twice, without_claim},
    refresh,
};
use crate::support::{
    Engine, TestApp,
    grpc::{summary, with_bearer},
    wire::{Wire, frame_of},
};

const CLAIMS: [&str; 14] =
    ["iss", "aud", "sub", "sid", "uep", "jti", "iat", "nbf", "exp", "typ", "roles", "auth_time", "amr", "aal"];

/// A service, a copy of its key, and the claims of a session that is open.
async fn set_up() -> (TestApp, Forge, String) {
    let (app, forge) = Forge::behind(Engine::Sqlite).await;
    let token = app.signed_in("ada@example.com").await.tokens.unwrap().access_token;
    let claims = payload(&token);
    assert_eq!(forge.sign(&claims, &forge.footer()), token, "what the test signs is what the service signs");
    assert_eq!(authenticate(&app.app, &token).await, Ok(()));
    (app, forge, claims)
}

#[tokio::test]
async fn a_footer_is_believed_for_nothing_but_one_of_our_own_keys() {
    let (app, forge, claims) = set_up().await;
    let other = Forge::new(99, &app.setup.master_keys, KeyState::Next);
    let (kid, stranger) = (forge.key.id.to_string(), other.key.id.to_string());
    let footers = [
        String::new(),
        "null".to_owned(),
        "{}".to_owned(),
        format!("\"{kid}\""),
        format!("[\"{kid}\"]"),
        r#"{"kid":""}"#.to_owned(),
        r#"{"kid":null}"#.to_owned(),
        r#"{"kid":0}"#.to_owned(),
        format!(r#"{{"kid":["{kid}"]}}"#),
        format!(r#"{{"kid":{{"kid":"{kid}"}}}}"#),
        format!(r#"{{"kid":"{stranger}"}}"#),
        format!(r#"{{"kid":"{kid}","kid":"{kid}"}}"#),
        format!(r#"{{"kid":"{stranger}","kid":"{kid}"}}"#),
        format!(r#"{{"kid":"{kid}","kid":"{stranger}"}}"#),
        format!(r#"{{"kid":"{kid}","jku":"https://evil.test/keys"}}"#),
        format!(r#"{{"kid":"{kid}","alg":"none"}}"#),
        format!(r#"{{"KID":"{kid}"}}"#),
        format!(r#"{{"kid":"{kid}"}}x"#),
        format!(r#"{{"kid":"{kid}"}}{{"kid":"{kid}"}}"#),
        format!(r#"{{"kid":"{kid}""#),
        format!(r#"{{"kid":"{}"}}"#, kid.to_uppercase()),
        format!(r#"{{"kid":"{kid}\u0000"}}"#),
        format!(r#"{{"kid":"\u006b{}"}}"#, &kid[1..]),
        format!(r#"{{"kid":" {kid}"}}"#),
        format!(r#"{{"kid":"{kid}/../{kid}"}}"#),
        format!(r#"{{"kid":"{}"}}"#, forge.key.public),
        r#"{"kid":"../../../../etc/passwd"}"#.to_owned(),
        r#"{"kid":"' OR 1=1; --"}"#.to_owned(),
        format!(r#"{{"kid":"{}"}}"#, "k".repeat(120)),
        format!(r#"{{"kid":"{}"}}"#, "k".repeat(3_000)),
        "[".repeat(128),
        format!(r#"{{ "kid": "{kid}" }}"#),
        format!(r#"{{"kid":"{kid}"}}{}"#, " ".repeat(100)),
    ];
    for footer in &footers {
        let token = forge.sign(&claims, footer);
        assert_eq!(authenticate(&app.app, &token).await, Err(Rejection::TokenInvalid), "{footer}");
    }
    let huge = forge.sign(&claims, &format!(r#"{{"kid":"{}"}}"#, "k".repeat(1 << 20)));
    assert_eq!(authenticate(&app.app, &huge).await, Err(Rejection::TokenInvalid));

    for (wire, footer) in Wire::ALL.into_iter().cycle().zip(&footers) {
        let bearer = format!("Bearer {}", forge.sign(&claims, footer));
        let reply = wire.call(&app, "WhoAmI", &frame_of(b""), &[("authorization", &bearer)]).await;
        assert_eq!(reply.outcome(), "Unauthenticated TOKEN_INVALID", "{wire:?} {footer}");
    }
}

#[tokio::test]
async fn another_key_is_another_service() {
    let (app, forge, claims) = set_up().await;
    let other = Forge::new(99, &app.setup.master_keys, KeyState::Next);
    for token in [
        other.sign(&claims, &forge.footer()),
        other.sign(&claims, &other.footer()),
        forge.sign(&claims, &other.footer()),
        forge.sign_with(&claims, &forge.footer(), Some(b"another purpose")),
    ] {
        assert_eq!(authenticate(&app.app, &token).await, Err(Rejection::TokenInvalid), "{token}");
    }
    // Known to the service, but revoked: refused like one that is too old, so that honest holders of such tokens refresh.
    let revoked = Forge::new(50, &app.setup.master_keys, KeyState::Revoked);
    let retired = Forge::new(70, &app.setup.master_keys, KeyState::Retired);
    for key in [&revoked.key, &retired.key] {
        assert!(app.store.add_signing_key(key).await.unwrap());
    }
    let app = app.restart().await;
    assert_eq!(authenticate(&app.app, &revoked.sign(&claims, &revoked.footer())).await, Err(Rejection::TokenExpired));
    assert_eq!(authenticate(&app.app, &retired.sign(&claims, &retired.footer())).await, Ok(()));
}

#[tokio::test]
async fn a_token_for_somebody_or_something_else_is_refused() {
    let (app, forge, claims) = set_up().await;
    let values: Value = serde_json::from_str(&claims).unwrap();
    let with = |name, value| with_claim(&claims, name, value);
    let mut wrong = vec![
        with("iss", json!("https://auth.example.org")),
        with("iss", json!("https://auth.example.com/")),
        with("iss", json!("HTTPS://auth.example.com")),
        with("iss", json!("")),
        with("aud", json!("other-service")),
        with("aud", json!("Countersign")),
        with("aud", json!("countersign ")),
        with("aud", json!(["countersign"])),
        with("aud", json!(["countersign", "other-service"])),
        with("typ", json!("refresh")),
        with("typ", json!("Access")),
        with("typ", json!("")),
        with("sub", json!("ada@example.com")),
        with("sub", json!("00000000-0000-0000-0000-00000000000G")),
        with("sid", json!("../sessions")),
        with("jti", json!("1")),
        with("uep", json!("0")),
        with("uep", json!(0.5)),
        with("roles", json!("admin")),
        with("roles", json!(["Admin"])),
        with("roles", json!([1])),
        with("aal", json!(-1)),
        with("aal", json!(256)),
        with("exp", json!(2_000_000_000)),
        with("nbf", json!("yesterday")),
        with("iat", json!("")),
        with("auth_time", json!(0)),
    ];
    // No moment; and moments in another spelling than ours, which other libraries read otherwise.
    let moments = ["1 hour", "2099", "2099-01-01", "2099-01-01T00:00:00", "2099-13-01T00:00:00Z"];
    wrong.extend(moments.map(|text| with("exp", json!(text))));
    let spellings =
        ["2099-01-01 00:00:00Z", "2099-01-01t00:00:00z", "2099-01-01T00:00:00.5Z", "2099-01-01T00:00:00+00:00"];
    wrong.extend(spellings.map(|text| with("exp", json!(text))));
    for name in CLAIMS {
        wrong.push(without_claim(&claims, name));
        wrong.push(with(name, Value::Null));
        wrong.push(with(name, json!({})));
        wrong.push(with_claim_twice(&claims, name, &values[name]));
    }
    wrong.push(serde_json::to_string(&CLAIMS.map(|name| values[name].clone())).unwrap());
    wrong.extend(["{}", "[]", "null", "\"\"", "{", "\u{0}"].map(ToOwned::to_owned));
    wrong.extend([format!("{claims}x"), format!("[{claims}]"), format!("{claims}{claims}")]);
    for claims in &wrong {
        let token = forge.sign(claims, &forge.footer());
        assert_eq!(authenticate(&app.app, &token).await, Err(Rejection::TokenInvalid), "{claims}");
    }
    let later = with("a_later_claim", json!("is passed over"));
    assert_eq!(authenticate(&app.app, &forge.sign(&later, &forge.footer())).await, Ok(()));
    let of_others = with("sid", json!("01890000-0000-7000-8000-000000000000"));
    let mut client = app.client().await;
    let request = with_bearer(WhoAmIRequest {}, &forge.sign(&of_others, &forge.footer()));
    let refusal = client.who_am_i(request).await.unwrap_err();
    assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED", "a session that never was");
}

#[tokio::test]
async fn one_kind_of_token_never_passes_as_another() {
    let (app, forge, claims) = set_up().await;
    let tokens = app.signed_in("eve@example.com").await.tokens.unwrap();
    let sealed = app.database.text("SELECT sealed FROM signing_keys").await.unwrap();
    let key = SymmetricKey::from(&forge.seed).unwrap();
    let footer = forge.footer();
    let local = LocalToken::encrypt(&key, claims.as_bytes(), Some(footer.as_bytes()), None).unwrap();
    let relabelled = |header| tokens.access_token.replacen("v4.public.", header, 1);
    for other in [
        tokens.refresh_token.clone(),
        sealed.clone(),
        local.clone(),
        app.setup.master_keys.clone(),
        forge.key.id.to_string(),
        forge.key.public.clone(),
        relabelled("v4.local."),
        relabelled("v3.public."),
        relabelled("v2.public."),
        relabelled("V4.public."),
        relabelled("v4.secret."),
        relabelled(""),
    ] {
        assert_eq!(authenticate(&app.app, &other).await, Err(Rejection::TokenInvalid), "{other}");
    }
    for other in [tokens.access_token.clone(), sealed, local, app.setup.master_keys.clone()] {
        assert_eq!(refresh(&app.app, &other).await, Err(Rejection::TokenInvalid), "{other}");
    }
}
