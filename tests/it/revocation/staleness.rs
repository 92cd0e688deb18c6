//! A node that hears nothing of what others revoke does what its operator chose, and nothing else.

use std::time::Duration;

use countersign::{
    app::{App, OnStale, Staleness},
    proto::WhoAmIRequest,
};

use super::{log_out, quiet_node, sessions, verdict};
use crate::support::{
    Engine, TestApp,
    grpc::{summary, with_bearer},
    on_both_engines,
    process::in_time,
    proxy::Proxy,
};

const BOUND: Duration = Duration::from_secs(5);

/// A node that was asleep for longer than it may be, with a session that lives and one that was ended meanwhile.
async fn after_sleep(engine: Engine, then: OnStale) -> (TestApp, App, [&'static str; 2]) {
    let app = TestApp::with(engine, |setup| setup.policy.staleness = Staleness { after: BOUND, then }).await;
    let opened = sessions(&app, "ada@example.com", 2).await;
    let node = quiet_node(&app).await;
    app.clock.sleep_through(Duration::from_secs(4));
    log_out(&app.app, &opened[1].tokens.access).await;
    assert_eq!(verdict(&node, &opened[1].tokens.access).await, "passes", "within the bound it trusts its memory");
    app.clock.sleep_through(Duration::from_secs(1));
    let lives = verdict(&node, &opened[0].tokens.access).await;
    let ended = verdict(&node, &opened[1].tokens.access).await;
    node.pull_revocations().await.unwrap();
    assert_eq!(verdict(&node, &opened[0].tokens.access).await, "passes");
    assert_eq!(verdict(&node, &opened[1].tokens.access).await, "session ended");
    (app, node, [lives, ended])
}

on_both_engines! {
    async fn who_denies_lets_nobody_pass(engine) {
        assert_eq!(after_sleep(engine, OnStale::Deny).await.2, ["unavailable", "unavailable"]);
    }

    async fn who_asks_the_database_knows_what_it_knows(engine) {
        assert_eq!(after_sleep(engine, OnStale::Strong).await.2, ["passes", "session ended"]);
    }

    async fn who_allows_lets_tokens_pass_until_they_expire(engine) {
        let (app, node, verdicts) = after_sleep(engine, OnStale::AllowUntilExp).await;
        assert_eq!(verdicts, ["passes", "passes"]);
        let session = sessions(&app, "eve@example.com", 1).await.remove(0).tokens.access;
        app.clock.sleep_through(BOUND * 2);
        assert_eq!(verdict(&node, &session).await, "passes");
        app.clock.advance(Duration::from_mins(6));
        assert_eq!(verdict(&node, &session).await, "refused", "expired");
    }
}

async fn who_am_i(app: &TestApp, token: &str) -> String {
    match app.client().await.who_am_i(with_bearer(WhoAmIRequest {}, token)).await {
        Ok(_) => "passes".to_owned(),
        Err(refusal) => summary(&refusal),
    }
}

/// Until the node has found out by itself.
async fn until(app: &TestApp, token: &str, expected: &str) {
    in_time(async { while who_am_i(app, token).await != expected {} }).await;
}

/// A network that swallows what is sent: no error ever comes, so nothing but a timeout notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_that_hangs_is_given_up_and_the_node_heals_by_itself() {
    for (then, expected) in [
        (OnStale::Deny, "Unavailable UNAVAILABLE"),
        (OnStale::Strong, "Unavailable UNAVAILABLE"),
        (OnStale::AllowUntilExp, "passes"),
    ] {
        let direct =
            TestApp::with(Engine::Postgres, |setup| setup.policy.staleness = Staleness { after: BOUND, then }).await;
        let proxy = Proxy::before(direct.database.port()).await;
        let opened = sessions(&direct, "ada@example.com", 2).await;
        let (lives, ended) = (opened[0].tokens.access.expose(), &opened[1].tokens.access);
        let mut setup = direct.setup.clone();
        setup.look_timeout = Duration::from_millis(500);
        setup.acquire_timeout = Duration::from_millis(500);
        setup.statement_timeout = Duration::from_millis(500);
        setup.database_port = Some(proxy.port);
        let node = direct.another_node_with(setup).await;
        assert_eq!(who_am_i(&node, lives).await, "passes");
        assert_eq!(who_am_i(&node, ended.expose()).await, "passes");

        proxy.swallow();
        log_out(&direct.app, ended).await;
        assert!(in_time(node.app.pull_revocations()).await.is_err(), "given up");
        node.clock.sleep_through(BOUND);
        assert_eq!(who_am_i(&node, lives).await, expected);
        assert_eq!(who_am_i(&node, ended.expose()).await, expected);

        proxy.mend();
        until(&node, ended.expose(), "Unauthenticated SESSION_ENDED").await;
        until(&node, lives, "passes").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_a_database_that_is_away_lets_nobody_pass() {
    let direct = TestApp::with(Engine::Postgres, |setup| {
        setup.policy.staleness = Staleness { after: BOUND, then: OnStale::Strong };
    })
    .await;
    let proxy = Proxy::before(direct.database.port()).await;
    let session = sessions(&direct, "ada@example.com", 1).await.remove(0).tokens.access;
    let mut setup = direct.setup.clone();
    setup.database_port = Some(proxy.port);
    let node = direct.another_node_with(setup).await;
    assert_eq!(who_am_i(&node, session.expose()).await, "passes");
    proxy.cut();
    node.clock.sleep_through(BOUND);
    until(&node, session.expose(), "Unavailable UNAVAILABLE").await;
    proxy.mend();
    until(&node, session.expose(), "passes").await;
}
