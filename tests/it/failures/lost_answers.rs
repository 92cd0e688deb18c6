//! The database did it, and its answer got lost: nobody knows, and trying again sorts it out.

use countersign::proto::{LogoutRequest, WhoAmIRequest};

use super::expect_unavailable;
use crate::support::{
    Engine, TestApp,
    grpc::{login, refresh, sign_up_request, summary, with_bearer},
    proxy::Proxy,
};

async fn behind_a_proxy() -> (TestApp, Proxy) {
    let app = TestApp::spawn(Engine::Postgres).await;
    let proxy = Proxy::before(app.database.port()).await;
    let app = app.restart_with(|setup| setup.database_port = Some(proxy.port)).await;
    (app, proxy)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_was_done_unheard_yields_the_same_successor() {
    let (app, proxy) = behind_a_proxy().await;
    let first = app.signed_in("ada@example.com").await.tokens.unwrap().refresh_token;
    let mut client = app.client().await;
    let generation = async || app.database.number("SELECT generation FROM sessions").await;

    proxy.lose_answer_to("UPDATE \"sessions\" SET \"generation\"");
    expect_unavailable(&refresh(&mut client, &first).await.unwrap_err());
    assert!(proxy.has_lost_it());
    assert_eq!(generation().await, 1, "it was done");

    let second = refresh(&mut client, &first).await.unwrap().refresh_token;
    assert_eq!(generation().await, 1, "and is not done twice");
    assert_eq!(refresh(&mut client, &first).await.unwrap().refresh_token, second);
    assert!(refresh(&mut client, &second).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_was_made_unheard_is_there() {
    let (app, proxy) = behind_a_proxy().await;
    let mut client = app.client().await;
    proxy.lose_answer_to("COMMIT");
    expect_unavailable(&client.sign_up(sign_up_request("ada@example.com")).await.unwrap_err());
    assert!(proxy.has_lost_it());
    client.sign_up(sign_up_request("ada@example.com")).await.unwrap();
    assert_eq!(app.database.number("SELECT COUNT(*) FROM users").await, 1);
    assert!(login(&mut client, "ada@example.com").await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_opened_unheard_is_nobodys() {
    let (app, proxy) = behind_a_proxy().await;
    let mut client = app.client().await;
    client.sign_up(sign_up_request("ada@example.com")).await.unwrap();
    // So that nothing else commits.
    app.deliver().await;
    proxy.lose_answer_to("COMMIT");
    expect_unavailable(&login(&mut client, "ada@example.com").await.unwrap_err());
    assert!(proxy.has_lost_it());
    assert!(login(&mut client, "ada@example.com").await.is_ok());
    assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_ended_unheard_is_over() {
    let (app, proxy) = behind_a_proxy().await;
    let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
    let mut client = app.client().await;
    client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await.unwrap();
    let logout = || with_bearer(LogoutRequest::default(), &tokens.access_token);
    app.deliver().await;
    proxy.lose_answer_to("COMMIT");
    expect_unavailable(&client.logout(logout()).await.unwrap_err());
    assert!(proxy.has_lost_it());

    app.app.pull_revocations().await.unwrap();

    let refusal = client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await.unwrap_err();
    assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED");
    let refusal = refresh(&mut client, &tokens.refresh_token).await.unwrap_err();
    assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED");
    client.logout(logout()).await.unwrap();
    let told = "SELECT COUNT(*) FROM audit_events WHERE kind = 'signed_out'";
    assert_eq!(app.database.number(told).await, 1, "once");
}
