//! Refreshing against revoking: whoever wins, a session that was revoked is not there again afterwards.

use countersign::{
    app::{Error, Rejection},
    domain::Device,
};
use sqlx::{Executor as _, Row as _};

use super::{log_in, log_out, log_out_everywhere, sessions, verdict};
use crate::support::{Engine, TestApp, grpc::sign_up, say};

/// Races a refresh on one node against the end of the session on another, so many times.
pub async fn race(is_serializable: bool, rounds: usize) {
    let one = TestApp::with(Engine::Postgres, |setup| setup.serializable = is_serializable).await;
    let other = one.another_node().await;
    let email = "ada@example.com";
    sign_up(&mut one.client().await, email).await;
    let mut won_by_refreshing = 0;
    for round in 0..rounds {
        let first = log_in(&one.app, email).await.tokens;
        let revoke = async {
            if round % 2 == 0 {
                log_out(&other.app, &first.access).await;
            } else {
                log_out_everywhere(&other.app, &first.access).await;
            }
        };
        let (refreshed, ()) = tokio::join!(one.app.refresh(&first.refresh, Device::default()), revoke);
        one.app.pull_revocations().await.unwrap();
        other.app.pull_revocations().await.unwrap();
        let mut tokens = vec![first];
        if let Ok(second) = refreshed {
            won_by_refreshing += 1;
            tokens.push(second.tokens);
        }
        for tokens in &tokens {
            for node in [&one.app, &other.app] {
                assert_eq!(verdict(node, &tokens.access).await, "session ended", "round {round}");
                assert!(node.refresh(&tokens.refresh, Device::default()).await.is_err(), "round {round}");
            }
        }
    }
    let live = "SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL";
    assert_eq!(one.database.number(live).await, 0);
    say(format_args!(
        "refresh against revocation, serializable {is_serializable}: {rounds} rounds, {won_by_refreshing} refreshed first, 0 resurrected"
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_comes_back_under_read_committed() {
    Box::pin(race(false, 60)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_comes_back_under_serializable() {
    Box::pin(race(true, 60)).await;
}

/// The narrowest of the races, held open: the refresh has read a session that lives, and waits to move it on.
async fn refresh_while_the_session_ends(is_serializable: bool) {
    let app = TestApp::with(Engine::Postgres, |setup| setup.serializable = is_serializable).await;
    let tokens = sessions(&app, "ada@example.com", 1).await.remove(0).tokens;
    let mut ending = app.database.postgres().await;
    ending.execute("BEGIN; UPDATE sessions SET ended_at = 1, end_reason = 'signed_out'").await.unwrap();
    let node = app.app.clone();
    let refreshing = tokio::spawn(async move { node.refresh(&tokens.refresh, Device::default()).await });
    let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid' \
                   AND transactionid = pg_current_xact_id()::xid";
    while ending.fetch_one(waiting).await.unwrap().get::<i64, _>(0) == 0 {}
    ending.execute("COMMIT").await.unwrap();
    let refused = refreshing.await.unwrap();
    assert!(matches!(refused, Err(Error::Rejected(Rejection::SessionEnded))), "{refused:?}");
    assert_eq!(app.database.number("SELECT generation FROM sessions").await, 0, "it was not moved on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_waited_for_the_end_of_its_session_is_refused() {
    Box::pin(refresh_while_the_session_ends(false)).await;
    Box::pin(refresh_while_the_session_ends(true)).await;
}
