//! A real axum server behind the layer.

use std::time::Duration;

use axum::{Router, extract::Request, http::Method, middleware, routing::get as route};
use countersign_client::{AuthLayer, Claims, Verifier};
use serde_json::json;

use crate::support::{
    FakeClock, Forge, ISSUER, Service,
    forge::{good, with},
    http::{get, send, serve},
};

const SUBJECT: &str = "01a21249-4c42-7e9d-af60-cd2513ae5b02";

async fn whose(claims: Claims) -> String {
    claims.user.to_string()
}

async fn whose_if_any(claims: Option<Claims>) -> String {
    claims.map_or_else(|| "nobody".to_owned(), |claims| claims.user.to_string())
}

fn behind(layer: AuthLayer) -> Router {
    Router::new().route("/", route(whose)).layer(layer)
}

#[tokio::test]
async fn who_has_no_good_token_does_not_get_in() {
    let (forge, clock) = (Forge::default(), FakeClock::default());
    let url = serve(behind(AuthLayer::new(forge.builder(&clock).build().unwrap()))).await;
    let token = forge.token(&[]);
    assert_eq!(get(&url, &token).await.outcome(), format!("200 {SUBJECT}"));

    let anonymous = send(Method::GET, &url, &[]).await;
    assert_eq!(anonymous.outcome(), "401 NOT_SIGNED_IN");
    assert_eq!(anonymous.header("www-authenticate"), "Bearer");
    assert_eq!((anonymous.header("content-type"), anonymous.header("cache-control")), ("application/json", "no-store"));

    let forged = get(&url, &Forge::default().token(&["admin"])).await;
    assert_eq!(forged.outcome(), "401 TOKEN_INVALID");
    let challenge = r#"Bearer error="invalid_token", error_description="the access token is not valid""#;
    assert_eq!(forged.header("www-authenticate"), challenge);

    clock.advance(Duration::from_secs(330));
    let expired = get(&url, &token).await;
    assert_eq!(expired.outcome(), "401 TOKEN_EXPIRED");
    let challenge = r#"Bearer error="invalid_token", error_description="the access token has expired""#;
    assert_eq!(expired.header("www-authenticate"), challenge);
}

#[tokio::test]
async fn a_token_counts_in_one_header_and_nowhere_else() {
    let forge = Forge::default();
    let url = serve(behind(AuthLayer::new(forge.verifier()))).await;
    let token = forge.token(&[]);
    let (bearer, lower) = (format!("Bearer {token}"), format!("bearer {token}"));
    let outcome = async |headers: &[(&str, &str)]| send(Method::GET, &url, headers).await.outcome();
    assert_eq!(outcome(&[("authorization", &lower)]).await, format!("200 {SUBJECT}"));
    for headers in [
        &[("authorization", token.as_str())][..],
        &[("authorization", "Bearer")],
        &[("authorization", "Basic YTpi")],
        &[("authorization", &format!("Bearer  {token}"))],
        &[("authorization", &format!("Bearer {token}."))],
        &[("authorization", &format!("Bearer {token}, Bearer {token}"))],
        &[("authorization", &bearer), ("authorization", &bearer)],
    ] {
        assert_eq!(outcome(headers).await, "401 TOKEN_INVALID", "{headers:?}");
    }
    for headers in [&[("x-authorization", bearer.as_str())], &[("cookie", &format!("access={token}"))]] {
        assert_eq!(outcome(headers).await, "401 NOT_SIGNED_IN", "{headers:?}");
    }
    let query = send(Method::GET, &format!("{url}/?access_token={token}"), &[]).await;
    assert_eq!(query.outcome(), "401 NOT_SIGNED_IN");
}

#[tokio::test]
async fn a_role_is_asked_for() {
    let forge = Forge::default();
    let layer = AuthLayer::new(forge.verifier()).require_role("admin").require_role("billing");
    let url = serve(behind(layer)).await;
    assert_eq!(get(&url, &forge.token(&["billing", "admin"])).await.outcome(), format!("200 {SUBJECT}"));
    for roles in [&[][..], &["admin"], &["billing"], &["admins", "billing"], &["billing", "support"]] {
        let refused = get(&url, &forge.token(roles)).await;
        assert_eq!(refused.outcome(), "403 FORBIDDEN", "{roles:?}");
        assert_eq!(refused.header("www-authenticate"), r#"Bearer error="insufficient_scope""#);
    }
    assert_eq!(send(Method::GET, &url, &[]).await.outcome(), "401 NOT_SIGNED_IN");
}

#[tokio::test]
async fn a_fresh_sign_in_is_asked_for() {
    let (forge, clock) = (Forge::default(), FakeClock::default());
    let layer = AuthLayer::new(forge.builder(&clock).build().unwrap()).require_fresh(Duration::from_mins(10));
    let url = serve(behind(layer.require_fresh(Duration::from_mins(20)))).await;
    let signed_in_at = |moment| forge.sign(&with(&good(), "auth_time", json!(moment)));
    for moment in ["2027-01-15T07:50:00Z", "2027-01-15T08:00:00Z", "2027-01-15T08:00:20Z"] {
        assert_eq!(get(&url, &signed_in_at(moment)).await.status, 200, "{moment}");
    }
    let old = get(&url, &signed_in_at("2027-01-15T07:49:59Z")).await;
    assert_eq!(old.outcome(), "401 STEP_UP_REQUIRED");
    let challenge = r#"Bearer error="insufficient_user_authentication", max_age="600""#;
    assert_eq!(old.header("www-authenticate"), challenge);
}

#[tokio::test]
async fn where_a_token_is_optional_a_bad_one_is_refused_all_the_same() {
    let forge = Forge::default();
    let layer = AuthLayer::new(forge.verifier()).optional();
    let router = Router::new().route("/", route(whose_if_any)).route("/me", route(whose)).layer(layer.clone());
    let url = serve(router).await;
    let me = format!("{url}/me");
    assert_eq!(send(Method::GET, &url, &[]).await.outcome(), "200 nobody");
    assert_eq!(get(&url, &forge.token(&[])).await.outcome(), format!("200 {SUBJECT}"));
    assert_eq!(get(&url, &Forge::default().token(&[])).await.outcome(), "401 TOKEN_INVALID");
    assert_eq!(send(Method::GET, &url, &[("authorization", "")]).await.outcome(), "401 TOKEN_INVALID");
    assert_eq!(send(Method::GET, &me, &[]).await.outcome(), "401 NOT_SIGNED_IN", "a handler may still insist");
    for layer in [layer.clone().require_role("admin"), layer.require_fresh(Duration::from_mins(10))] {
        let strict = serve(Router::new().route("/", route(whose_if_any)).layer(layer)).await;
        assert_eq!(send(Method::GET, &strict, &[]).await.outcome(), "401 NOT_SIGNED_IN", "nobody has no role");
    }
}

#[tokio::test]
async fn claims_that_somebody_else_put_there_do_not_count() {
    let (forge, other) = (Forge::default(), Forge::default());
    let admin = other.verifier().verify(&other.token(&["admin"])).await.unwrap();
    let spoof = middleware::from_fn(move |mut request: Request, next: middleware::Next| {
        request.extensions_mut().insert(admin.clone());
        next.run(request)
    });
    let router = Router::new().route("/", route(whose_if_any)).layer(AuthLayer::new(forge.verifier()).optional());
    let url = serve(router.layer(spoof)).await;
    assert_eq!(send(Method::GET, &url, &[]).await.outcome(), "200 nobody");
}

#[tokio::test]
async fn a_handler_without_the_layer_lets_nobody_in() {
    let router = Router::new().route("/", route(whose)).route("/any", route(whose_if_any));
    let url = serve(router).await;
    let token = Forge::default().token(&[]);
    for path in ["/", "/any"] {
        assert_eq!(get(&format!("{url}{path}"), &token).await.status, 500, "{path}");
    }
}

#[tokio::test]
async fn a_token_is_not_printed_by_whoever_prints_the_request() {
    let forge = Forge::default();
    let print = async |request: Request| format!("{:?}", request.headers());
    let url = serve(Router::new().route("/", route(print)).layer(AuthLayer::new(forge.verifier()))).await;
    let reply = get(&url, &forge.token(&[])).await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.contains("\"authorization\": Sensitive"), "{}", reply.body);
    assert!(!reply.body.contains("v4.public"), "{}", reply.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_services_own_tokens_open_the_door_and_its_absence_shuts_nobody_out() {
    let mut service = Service::start(&["admin"]).await;
    let verifier = Verifier::builder(ISSUER).keys_url(service.keys_url()).build().unwrap();
    let url = serve(behind(AuthLayer::new(verifier).require_role("admin"))).await;
    let token = service.login().await.access_token;
    let refresh_token = service.login().await.refresh_token;
    assert_eq!(get(&url, &token).await.status, 200);
    assert_eq!(get(&url, &refresh_token).await.outcome(), "401 TOKEN_INVALID");
    let never_asked = Verifier::builder(ISSUER).keys_url(service.keys_url()).build().unwrap();
    service.kill().await;
    assert_eq!(get(&url, &token).await.status, 200);
    let url = serve(behind(AuthLayer::new(never_asked))).await;
    let refused = get(&url, &token).await;
    assert_eq!(refused.outcome(), "503 UNAVAILABLE");
    assert_eq!((refused.header("retry-after"), refused.header("www-authenticate")), ("1", ""));
}
