//! Renewing a session: one generation at a time, nobody logged out by a race, and a thief noticed.

use std::{sync::Arc, time::Duration};

use countersign::proto::WhoAmIRequest;
use sqlx::{Executor as _, Row as _};
use tokio::{sync::Barrier, task::JoinSet};

use crate::support::{
    Engine, TestApp,
    grpc::{login, refresh, summary, with_bearer},
    on_both_engines,
};

const PAST_GRACE: Duration = Duration::from_secs(11);
const RACERS: usize = 64;
const ROUNDS: usize = 500;

on_both_engines! {
    async fn racers_with_one_token_get_one_successor(engine) {
        race(TestApp::spawn(engine).await).await;
    }

    async fn a_token_replaced_a_moment_ago_yields_the_same_successor(engine) {
        let app = TestApp::spawn(engine).await;
        let first = app.signed_in("ada@example.com").await.tokens.unwrap().refresh_token;
        let mut client = app.client().await;
        let second = refresh(&mut client, &first).await.unwrap().refresh_token;
        app.clock.advance(Duration::from_secs(10));
        assert_eq!(refresh(&mut client, &first).await.unwrap().refresh_token, second);
        assert_ne!(refresh(&mut client, &second).await.unwrap().refresh_token, second);
    }

    async fn a_replaced_token_ends_the_session_for_good(engine) {
        let app = TestApp::spawn(engine).await;
        let first = app.signed_in("ada@example.com").await.tokens.unwrap().refresh_token;
        let mut client = app.client().await;
        let second = refresh(&mut client, &first).await.unwrap();
        app.clock.advance(PAST_GRACE);

        let refusal = refresh(&mut client, &first).await.unwrap_err();

        assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED");
        assert_eq!(app.database.text("SELECT end_reason FROM sessions").await.as_deref(), Some("token_reuse"));
        let audit = "SELECT COUNT(*) FROM audit_events WHERE kind = 'token_reused'";
        assert_eq!(app.database.number(audit).await, 1);
        for token in [&first, &second.refresh_token] {
            assert_eq!(summary(&refresh(&mut client, token).await.unwrap_err()), "Unauthenticated SESSION_ENDED");
        }
        assert_eq!(app.database.number(audit).await, 1, "told once");
        assert!(app.letters().await.contains(&"ada@example.com: Your session was ended".to_owned()));

        let app = app.restart().await;
        let mut client = app.client().await;
        for token in [&first, &second.refresh_token] {
            assert_eq!(summary(&refresh(&mut client, token).await.unwrap_err()), "Unauthenticated SESSION_ENDED");
        }
        let refusal = client.who_am_i(with_bearer(WhoAmIRequest {}, &second.access_token)).await;
        assert_eq!(summary(&refusal.unwrap_err()), "Unauthenticated SESSION_ENDED");
        assert!(login(&mut client, "ada@example.com").await.is_ok(), "the person themselves can sign in again");
    }
}

/// Under the strictest isolation PostgreSQL gives a transaction up (40001) when another has changed its row: it is run again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_was_given_up_for_another_is_run_again() {
    let app = TestApp::with(Engine::Postgres, |setup| setup.serializable = true).await;
    let token = app.signed_in("ada@example.com").await.tokens.unwrap().refresh_token;
    let mut other = app.database.postgres().await;
    other.execute("BEGIN; UPDATE sessions SET user_agent = 'other'").await.unwrap();
    let mut client = app.client().await;
    let refreshing = tokio::spawn(async move { refresh(&mut client, &token).await });
    let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid' \
                   AND transactionid = pg_current_xact_id()::xid";
    while other.fetch_one(waiting).await.unwrap().get::<i64, _>(0) == 0 {}
    other.execute("COMMIT").await.unwrap();
    assert!(refreshing.await.unwrap().is_ok());
    assert_eq!(app.database.number("SELECT generation FROM sessions").await, 1);
}

async fn race(app: TestApp) {
    let mut token = app.signed_in("ada@example.com").await.tokens.unwrap().refresh_token;
    let client = app.client().await;
    for round in 1..=ROUNDS {
        let barrier = Arc::new(Barrier::new(RACERS));
        let mut racers = JoinSet::new();
        for _ in 0..RACERS {
            let (mut client, barrier, token) = (client.clone(), Arc::clone(&barrier), token.clone());
            racers.spawn(async move {
                barrier.wait().await;
                refresh(&mut client, &token).await.unwrap().refresh_token
            });
        }
        let mut successors = racers.join_all().await;
        successors.dedup();
        assert_eq!(successors.len(), 1, "one successor in round {round}");
        token = successors.remove(0);
        let generation = app.database.number("SELECT generation FROM sessions").await;
        assert_eq!(generation, i64::try_from(round).unwrap(), "one step a round");
    }
}
