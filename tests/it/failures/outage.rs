//! The database is away: everybody is told to come back, nobody to sign in again, and afterwards all is as it was.

use std::time::Duration;

use countersign::proto::{LogoutRequest, RefreshRequest, Tokens, WhoAmIRequest};
use http::{Method, StatusCode};
use tokio::task::JoinSet;
use tonic::Status;

use super::expect_unavailable;
use crate::support::{
    Engine, PAGE, Setup, TestApp,
    grpc::{Client, login, login_request, refresh, sign_up_request, with_bearer},
    http::{Http, Version, frame},
    on_both_engines,
    process::in_time,
    proxy::Proxy,
    wire::Wire,
};

/// As tests configure it.
const MOST_CONNECTIONS: usize = 8;

/// What the calls that write are told, Logout last.
async fn told(client: &mut Client, tokens: &Tokens) -> Vec<Result<(), Status>> {
    let logout = |everywhere| with_bearer(LogoutRequest { everywhere }, &tokens.access_token);
    vec![
        client.sign_up(sign_up_request("new@example.com")).await.map(drop),
        login(client, "ada@example.com").await.map(drop),
        refresh(client, &tokens.refresh_token).await.map(drop),
        client.logout(logout(true)).await.map(drop),
        client.logout(logout(false)).await.map(drop),
    ]
}

async fn who_am_i(client: &mut Client, tokens: &Tokens) -> Result<String, Status> {
    let answer = client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await?;
    Ok(answer.into_inner().user.unwrap().email)
}

async fn expect_all_refused(app: &TestApp, tokens: &Tokens) {
    for told in told(&mut app.client().await, tokens).await {
        expect_unavailable(&told.unwrap_err());
    }
    for wire in Wire::ALL {
        let reply = wire.call(app, "Login", &frame(&login_request("ada@example.com")), &[]).await;
        assert_eq!(reply.outcome(), "Unavailable UNAVAILABLE", "{wire:?}");
    }
    let cookie = format!("__Host-countersign-refresh={}", tokens.refresh_token);
    let headers = [("origin", PAGE), ("cookie", cookie.as_str())];
    let message = frame(&RefreshRequest::default());
    let reply = Wire::Web(Version::Http1).call(app, "Refresh", &message, &headers).await;
    assert_eq!(reply.outcome(), "Unavailable UNAVAILABLE");
    assert_eq!(reply.header("set-cookie"), None, "a browser keeps its session");
}

/// The very calls that failed, and the tokens that failed with them.
async fn expect_all_well(app: &TestApp, tokens: &Tokens) {
    let mut client = app.client().await;
    for told in told(&mut client, tokens).await {
        told.unwrap();
    }
    assert!(login(&mut client, "new@example.com").await.is_ok());
}

async fn get(app: &TestApp, path: &str) -> StatusCode {
    Http { address: app.address, version: Version::Http1, tls: None }.send(Method::GET, path, &[], "").await.status
}

/// Through what breaks the database and what mends it.
async fn expect_to_outlive(app: TestApp, harm: impl AsyncFnOnce(&TestApp), mend: impl AsyncFnOnce(TestApp) -> TestApp) {
    let known = app.signed_in("ada@example.com").await.tokens.unwrap();
    let stranger = app.signed_in("eve@example.com").await.tokens.unwrap();
    let mut client = app.client().await;
    who_am_i(&mut client, &known).await.unwrap();
    assert_eq!(get(&app, "/readyz").await, StatusCode::OK);

    harm(&app).await;

    expect_all_refused(&app, &stranger).await;
    expect_unavailable(&who_am_i(&mut client, &stranger).await.unwrap_err());
    assert_eq!(who_am_i(&mut client, &known).await.unwrap(), "ada@example.com", "known by heart");
    app.clock.advance(Duration::from_mins(2));
    assert_eq!(who_am_i(&mut client, &known).await.unwrap(), "ada@example.com", "what was last known");
    assert_eq!(get(&app, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(&app, "/healthz").await, StatusCode::OK);

    let app = mend(app).await;

    expect_all_well(&app, &stranger).await;
    assert_eq!(who_am_i(&mut app.client().await, &known).await.unwrap(), "ada@example.com");
    assert_eq!(get(&app, "/readyz").await, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_signed_out_while_postgresql_cannot_be_reached() {
    let app = TestApp::spawn(Engine::Postgres).await;
    let proxy = Proxy::before(app.database.port()).await;
    let app = app.restart_with(|setup| setup.database_port = Some(proxy.port)).await;
    let mend = async |app| {
        proxy.mend();
        app
    };
    expect_to_outlive(app, async |_| proxy.cut(), mend).await;
}

/// Broken connections are found out by being used: each costs one call, which is told to come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_break_of_a_moment_costs_no_more_calls_than_there_were_connections() {
    let app = TestApp::spawn(Engine::Postgres).await;
    let proxy = Proxy::before(app.database.port()).await;
    let app = app.restart_with(|setup| setup.database_port = Some(proxy.port)).await;
    let mut tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
    let client = app.client().await;
    let mut crowd = JoinSet::new();
    for number in 0..50 {
        let mut client = client.clone();
        crowd.spawn(async move { client.sign_up(sign_up_request(&format!("ada{number}@example.com"))).await.unwrap() });
    }
    crowd.join_all().await;

    proxy.cut();
    proxy.mend();

    let (mut client, mut failures) = (client, 0);
    for _ in 0..50 {
        match refresh(&mut client, &tokens.refresh_token).await {
            Ok(next) => tokens = next,
            Err(refusal) => {
                expect_unavailable(&refusal);
                failures += 1;
            }
        }
    }
    assert!(failures <= MOST_CONNECTIONS, "{failures}");
    assert!(refresh(&mut client, &tokens.refresh_token).await.is_ok());
}

/// No error ever comes, and no answer: the calls' own timeout is a minute here, and must not be what ends them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_swallows_everything_is_an_outage_like_any_other() {
    let app = TestApp::spawn(Engine::Postgres).await;
    let proxy = Proxy::before(app.database.port()).await;
    let app = app.restart_with(impatient_by_way_of(&proxy)).await;
    let mend = async |app| {
        proxy.mend();
        app
    };
    Box::pin(expect_to_outlive(app, async |_| proxy.swallow(), mend)).await;
}

fn impatient_by_way_of(proxy: &Proxy) -> impl FnOnce(&mut Setup) {
    |setup| {
        setup.database_port = Some(proxy.port);
        setup.acquire_timeout = Duration::from_millis(500);
        setup.statement_timeout = Duration::from_millis(500);
        setup.look_timeout = Duration::from_millis(500);
    }
}

/// Connections that are never heard of again, more than the pool has: all make room for others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_of_which_nothing_is_heard_again_are_replaced() {
    let app = TestApp::spawn(Engine::Postgres).await;
    let proxy = Proxy::before(app.database.port()).await;
    let app = app.restart_with(impatient_by_way_of(&proxy)).await;
    let mut tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
    let client = app.client().await;
    for _ in 0..2 {
        let mut crowd = JoinSet::new();
        for number in 0..4 * MOST_CONNECTIONS {
            let mut client = client.clone();
            crowd.spawn(async move { client.sign_up(sign_up_request(&format!("ada{number}@example.com"))).await });
        }
        proxy.strand();
        for told in crowd.join_all().await {
            told.err().iter().for_each(expect_unavailable);
        }
        let mut client = client.clone();
        let renewed = async {
            loop {
                match refresh(&mut client, &tokens.refresh_token).await {
                    Ok(tokens) => break tokens,
                    Err(refusal) => expect_unavailable(&refusal),
                }
            }
        };
        tokens = in_time(renewed).await;
        for _ in 0..MOST_CONNECTIONS {
            tokens = refresh(&mut client, &tokens.refresh_token).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_signed_out_while_sqlite_is_closed() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    Box::pin(expect_to_outlive(app, async |app| app.store.close().await.unwrap(), TestApp::restart)).await;
}

on_both_engines! {
    async fn what_others_hold_locked_is_waited_for_and_then_unavailable(engine) {
        let app = TestApp::with(engine, |setup| setup.statement_timeout = Duration::from_millis(200)).await;
        let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
        let lock = app.database.lock().await;
        expect_all_refused(&app, &tokens).await;
        lock.release().await;
        expect_all_well(&app, &tokens).await;
    }
}
