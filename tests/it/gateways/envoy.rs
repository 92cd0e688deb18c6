//! `ext_authz`, as Envoy asks.

use std::collections::{BTreeMap, HashMap};

use countersign::proto::LogoutRequest;
use envoy_types::{
    ext_authz::v3::pb::{CheckRequest, CheckResponse, HeaderAppendAction, HttpResponse},
    pb::envoy::service::auth::v3::{AttributeContext, attribute_context, authorization_client::AuthorizationClient},
};
use tonic::transport::Channel;

use crate::support::{
    Engine, PAGE, TestApp,
    browser::Browser,
    grpc::with_bearer,
    http::{Http, Version},
};

const ADA: &str = "ada@example.com";

async fn check(app: &TestApp, method: &str, headers: &[(&str, &str)]) -> CheckResponse {
    let channel = Channel::from_shared(app.url.clone()).unwrap().connect().await.unwrap();
    let headers: HashMap<_, _> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let http = attribute_context::HttpRequest { method: method.to_owned(), headers, ..Default::default() };
    let request = attribute_context::Request { http: Some(http), ..Default::default() };
    let attributes = AttributeContext { request: Some(request), ..Default::default() };
    let request = CheckRequest { attributes: Some(attributes) };
    AuthorizationClient::new(channel).check(request).await.unwrap().into_inner()
}

/// Code, the headers that are put in place of the visitor's, and those that are taken away.
fn allowed(response: CheckResponse) -> (BTreeMap<String, String>, Vec<String>) {
    assert_eq!(response.status.unwrap().code, 0);
    let Some(HttpResponse::OkResponse(ok)) = response.http_response else { panic!("allowed") };
    let headers = ok.headers.into_iter().map(|option| {
        assert_eq!(option.append_action, i32::from(HeaderAppendAction::OverwriteIfExistsOrAdd));
        assert!(option.keep_empty_value);
        let header = option.header.unwrap();
        (header.key, header.value)
    });
    let mut removed = ok.headers_to_remove;
    removed.sort();
    (headers.collect(), removed)
}

fn denied(response: CheckResponse) -> (i32, i32, Option<String>) {
    let Some(HttpResponse::DeniedResponse(denied)) = response.http_response else { panic!("denied") };
    let header = |option: &envoy_types::ext_authz::v3::pb::HeaderValueOption| option.header.clone().unwrap();
    let challenge = denied.headers.iter().map(header).find(|header| header.key == "www-authenticate");
    (response.status.unwrap().code, denied.status.unwrap().code, challenge.map(|header| header.value))
}

#[tokio::test]
async fn envoy_lets_a_token_through_and_names_its_holder_in_place_of_whoever_is_claimed() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let signed_in = app.signed_in(ADA).await;
    let bearer = format!("Bearer {}", signed_in.tokens.unwrap().access_token);
    let headers = [
        (":path", "/"),
        (":method", "POST"),
        ("authorization", bearer.as_str()),
        ("cookie", "a=b; __Host-countersign-refresh=cs_rt_x"),
        ("x-auth-user", "root"),
        ("x-auth-email", "root@example.com"),
        ("x_auth_roles", "admin"),
    ];

    let (told, removed) = allowed(check(&app, "POST", &headers).await);

    assert_eq!(told["x-auth-user"], signed_in.user.unwrap().id);
    assert_eq!(told["x-auth-session"], signed_in.session.unwrap().id);
    assert_eq!(told["x-auth-roles"], "");
    assert_eq!(told["cookie"], "a=b");
    assert_eq!(told.len(), 5, "{told:?}");
    assert_eq!(removed, ["x-auth-email", "x_auth_roles"]);
    let (told, removed) = allowed(check(&app, "GET", &[("authorization", bearer.as_str())]).await);
    assert!(!told.contains_key("cookie"));
    assert_eq!(removed, ["cookie"]);
}

#[tokio::test]
async fn envoy_is_told_no_in_an_answer_and_never_by_an_error() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let tokens = app.signed_in(ADA).await.tokens.unwrap();
    let bearer = format!("Bearer {}", tokens.access_token);
    let challenge = |reason: &str| {
        let error = "error=\"invalid_token\", error_description";
        Some(format!("Bearer realm=\"countersign\", {error}=\"{reason}\""))
    };

    let nobody = (16, 401, Some("Bearer realm=\"countersign\"".to_owned()));
    assert_eq!(denied(check(&app, "GET", &[]).await), nobody);
    let invalid = (16, 401, challenge("TOKEN_INVALID"));
    assert_eq!(denied(check(&app, "GET", &[("authorization", "Bearer x")]).await), invalid);
    // Envoy writes two headers of one name as one.
    assert_eq!(denied(check(&app, "GET", &[("authorization", &format!("{bearer},{bearer}"))]).await), invalid);

    let mut client = app.client().await;
    client.logout(with_bearer(LogoutRequest::default(), &tokens.access_token)).await.unwrap();
    let ended = (16, 401, challenge("SESSION_ENDED"));
    assert_eq!(denied(check(&app, "GET", &[("authorization", &bearer)]).await), ended);

    let channel = Channel::from_shared(app.url.clone()).unwrap().connect().await.unwrap();
    let empty = AuthorizationClient::new(channel).check(CheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(denied(empty), nobody, "even if it asks about nothing");
}

#[tokio::test]
async fn a_strangers_page_does_not_pass_by_cookie() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    app.signed_in(ADA).await;
    let mut browser = Browser::new(Http { address: app.address, version: Version::Http2, tls: None }, PAGE);
    browser.login(ADA).await;
    let cookies = browser.cookies().join("; ");

    let (told, _) = allowed(check(&app, "POST", &[("cookie", &cookies), ("origin", PAGE)]).await);
    assert_eq!(told["x-auth-user"].len(), 36);
    assert_eq!(told.get("cookie"), None, "the refresh token stays outside");
    allowed(check(&app, "GET", &[("cookie", &cookies)]).await);
    let evil = [("cookie", cookies.as_str()), ("origin", "https://evil.test")];
    for method in ["GET", "POST"] {
        assert_eq!(denied(check(&app, method, &evil).await), (7, 403, None));
    }
    assert_eq!(denied(check(&app, "POST", &[("cookie", &cookies)]).await), (7, 403, None));
    assert_eq!(denied(check(&app, "not a method", &[("cookie", &cookies)]).await), (7, 403, None));
}
