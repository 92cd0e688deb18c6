//! A node that stood still, as a machine that was paused: what it remembers is old when it wakes, and it knows.

use std::time::Duration;

use countersign::proto::{LogoutRequest, WhoAmIRequest};
use tokio::time::{Instant, timeout_at};

use crate::support::{
    Database, Engine,
    grpc::{login, sign_up, summary, with_bearer},
    process::{Binary, in_time},
    say,
};

/// Stops a node for twice as long as it may hear nothing, ends a session meanwhile on another, and gives what the node says of
/// the session first when it goes on.
async fn first_answer(stale_after: Duration, on_stale: &str) -> String {
    let database = Database::create(Engine::Postgres).await;
    let node = || {
        Binary::default()
            .patient()
            .with("COUNTERSIGN_DATABASE__URL", database.url(None))
            .with("COUNTERSIGN_KEYS__MASTER_KEY", "cs_mk_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE")
            .with("COUNTERSIGN_REVOCATION__STALE_AFTER", format!("{}ms", stale_after.as_millis()))
            .with("COUNTERSIGN_REVOCATION__ON_STALE", on_stale)
    };
    let (one, other) = (node(), node());
    let (here, there) = (one.serve().await, other.serve().await);
    let (mut client, mut asking) = (here.client().await, there.client().await);
    sign_up(&mut client, "ada@example.com").await;
    let token = login(&mut client, "ada@example.com").await.unwrap().tokens.unwrap().access_token;
    in_time(async { while asking.who_am_i(with_bearer(WhoAmIRequest {}, &token)).await.is_err() {} }).await;

    there.freeze().await;
    client.logout(with_bearer(LogoutRequest::default(), &token)).await.unwrap();
    // It waits there to be read first of all. That the time passes in which nobody answers is what is tested.
    let mut first = tokio::spawn(async move { asking.who_am_i(with_bearer(WhoAmIRequest {}, &token)).await.map(drop) });
    assert!(timeout_at(Instant::now() + 2 * stale_after, &mut first).await.is_err(), "it stands still");
    there.thaw().await;
    in_time(first).await.unwrap().map_or_else(|refusal| summary(&refusal), |()| "passes".to_owned())
}

/// It may have looked first, whatever it does otherwise.
async fn expect_no_trust(stale_after: Duration) {
    let first = first_answer(stale_after, "deny").await;
    assert!(["Unavailable UNAVAILABLE", "Unauthenticated SESSION_ENDED"].contains(&first.as_str()), "{first}");
    assert_eq!(first_answer(stale_after, "strong").await, "Unauthenticated SESSION_ENDED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_answer_after_a_pause_does_not_trust_what_was_known_before_it() {
    Box::pin(expect_no_trust(Duration::from_secs(1))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "waits: make faults-campaign"]
async fn faults_campaign_a_node_stands_still_for_ten_seconds() {
    Box::pin(expect_no_trust(Duration::from_secs(5))).await;
    let allowed = Box::pin(first_answer(Duration::from_secs(5), "allow_until_exp")).await;
    say(format_args!(
        "a node that stood still for 10 s, bound 5 s: deny and strong refuse; allow_until_exp: {allowed}"
    ));
}
