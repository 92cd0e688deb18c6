//! PostgreSQL itself stands still, crashes, or goes on with an earlier state, under a node of each kind: for
//! `make faults-campaign`, since nobody else can use the server meanwhile.

use std::time::Duration;

use countersign::{
    app::{OnStale, Staleness},
    proto::WhoAmIRequest,
};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::{process::Command, time::Instant};

use super::{log_out, sessions, verdict};
use crate::support::{
    Engine, Setup, TestApp,
    grpc::{refresh, summary, with_bearer},
    process::{in_time, stands_still},
    say,
};

pub(super) const ENDED: &str = "Unauthenticated SESSION_ENDED";
/// A second each for a connection and a statement, and one more.
pub(super) const LONGEST_CALL: Duration = Duration::from_secs(3);
pub(super) const STALE_AFTER: Duration = Duration::from_secs(2);
pub(super) const KINDS: [(OnStale, &str); 3] =
    [(OnStale::Deny, "deny"), (OnStale::Strong, "strong"), (OnStale::AllowUntilExp, "allow_until_exp")];

/// As an operator has it, but for shorter waits.
pub(super) fn set_up(setup: &mut Setup, then: OnStale) {
    setup.policy.staleness = Staleness { after: STALE_AFTER, then };
    setup.look_timeout = Duration::from_millis(500);
    setup.acquire_timeout = Duration::from_secs(1);
    setup.statement_timeout = Duration::from_secs(1);
}

/// Sends a signal to PostgreSQL's first process and to all of its children, and says which these are.
async fn signal_server(postmaster: &str, signal: &str) -> Vec<u32> {
    let line = format!("all=\"{postmaster} $(pgrep -P {postmaster})\"; kill -s {signal} $all && echo $all");
    let said = Command::new("sh").args(["-c", &line]).output().await.unwrap();
    assert!(said.status.success());
    String::from_utf8(said.stdout).unwrap().split_whitespace().map(|id| id.parse().unwrap()).collect()
}

/// What a node says of a token, which must not take longer than it waits for the database.
pub(super) async fn who_am_i(app: &TestApp, token: &str) -> String {
    let asked = Instant::now();
    let answer = app.client().await.who_am_i(with_bearer(WhoAmIRequest {}, token)).await;
    assert!(asked.elapsed() < 2 * LONGEST_CALL, "{:?}", asked.elapsed());
    answer.map_or_else(|refusal| summary(&refusal), |_| "passes".to_owned())
}

pub(super) async fn until(app: &TestApp, token: &str, expected: &str) -> Duration {
    let since = Instant::now();
    in_time(async { while who_am_i(app, token).await != expected {} }).await;
    since.elapsed()
}

async fn frozen_crashed_and_set_back(then: OnStale, name: &str) {
    let one = TestApp::with(Engine::Postgres, |setup| set_up(setup, then)).await;
    let other = one.another_node().await;
    let opened = sessions(&one, "ada@example.com", 3).await;
    let tokens: Vec<&str> = opened.iter().map(|session| session.tokens.access.expose()).collect();
    let postmaster = one.database.text("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)").await.unwrap();
    for token in &tokens {
        assert_eq!(who_am_i(&other, token).await, "passes");
    }
    log_out(&one.app, &opened[0].tokens.access).await;
    until(&other, tokens[0], ENDED).await;

    for process in signal_server(&postmaster, "STOP").await {
        in_time(stands_still(process)).await;
    }
    assert_eq!(who_am_i(&other, tokens[1]).await, "passes", "within the bound it trusts its memory");
    let expected = if then == OnStale::AllowUntilExp { "passes" } else { "Unavailable UNAVAILABLE" };
    other.clock.sleep_through(STALE_AFTER);
    until(&other, tokens[1], expected).await;
    assert_eq!(who_am_i(&other, tokens[0]).await, ENDED, "what is known stays known");
    let asked = Instant::now();
    let refusal = refresh(&mut other.client().await, opened[1].tokens.refresh.expose()).await.unwrap_err();
    assert_eq!(summary(&refusal), "Unavailable UNAVAILABLE");
    let waited = asked.elapsed();
    assert!(waited < 2 * LONGEST_CALL, "{waited:?}");
    signal_server(&postmaster, "CONT").await;
    let frozen = until(&other, tokens[1], "passes").await;
    assert_eq!(who_am_i(&other, tokens[0]).await, ENDED);

    one.database.back_up().await;
    log_out(&one.app, &opened[1].tokens.access).await;
    until(&other, tokens[1], ENDED).await;
    let mut witness = one.database.postgres().await;
    // The server ends every connection, and recovers, when one of its children dies like this.
    let line = format!("kill -s KILL $(pgrep -P {postmaster} | tail -1)");
    assert!(Command::new("sh").args(["-c", &line]).status().await.unwrap().success());
    in_time(async { while witness.execute("SELECT 1").await.is_ok() {} }).await;
    for token in &tokens[..2] {
        assert_eq!(who_am_i(&other, token).await, ENDED);
    }
    in_time(async { while PgConnection::connect(&one.database.url(None)).await.is_err() {} }).await;
    let back = Instant::now();
    in_time(async { while other.app.pull_revocations().await.is_err() {} }).await;
    let crashed = back.elapsed();
    assert_eq!(who_am_i(&other, tokens[2]).await, "passes");

    one.database.set_back().await;
    for _ in 0..50 {
        assert_eq!(who_am_i(&other, tokens[1]).await, ENDED, "its end is lost, and remembered");
    }
    let again = async {
        while refresh(&mut one.client().await, opened[1].tokens.refresh.expose())
            .await
            .map_err(|refusal| summary(&refusal))
            != Err(ENDED.to_owned())
        {}
    };
    in_time(again).await;
    assert_eq!(verdict(&other.app, &opened[2].tokens.access).await, "passes");
    say(format_args!(
        "{name}: while frozen {expected}, a refresh told so after {waited:.1?}; healed {frozen:.1?} after it went on, {crashed:.1?} after it was back from a crash; \
         what the lost tail ended stayed ended"
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "stops the server: make faults-campaign"]
async fn faults_campaign_postgresql_freezes_crashes_and_forgets() {
    for (then, name) in KINDS {
        Box::pin(frozen_crashed_and_set_back(then, name)).await;
    }
}
