//! A node that stood still, as a machine that was paused: what it remembers is old when it wakes, and it knows.

use std::time::Duration;

use countersign::proto::{LogoutRequest, WhoAmIRequest};
use tokio::time::{Instant, timeout_at};

use crate::support::{
    Database, Engine,
    grpc::{login, sign_up, summary, with_bearer},
    process::{Binary, in_time},
};

const BOUND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_answer_after_a_pause_does_not_trust_what_was_known_before_it() {
    let database = Database::create(Engine::Postgres).await;
    let node = || {
        Binary::default()
            .patient()
            .with("COUNTERSIGN_DATABASE__URL", database.url(None))
            .with("COUNTERSIGN_KEYS__MASTER_KEY", "cs_mk_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE")
            .with("COUNTERSIGN_REVOCATION__STALE_AFTER", "1s")
    };
    let (one, other) = (node(), node());
    let (here, there) = (one.serve().await, other.serve().await);
    let (mut client, mut asking) = (here.client().await, there.client().await);
    sign_up(&mut client, "ada@example.com").await;
    let token = login(&mut client, "ada@example.com").await.unwrap().tokens.unwrap().access_token;
    in_time(async { while asking.who_am_i(with_bearer(WhoAmIRequest {}, &token)).await.is_err() {} }).await;

    there.signal("STOP").await;
    client.logout(with_bearer(LogoutRequest::default(), &token)).await.unwrap();
    // It waits there to be read first of all. That the time passes in which nobody answers is what is tested.
    let mut first = tokio::spawn(async move { asking.who_am_i(with_bearer(WhoAmIRequest {}, &token)).await.map(drop) });
    assert!(timeout_at(Instant::now() + 2 * BOUND, &mut first).await.is_err(), "it stands still");
    there.signal("CONT").await;

    let refusal = summary(&in_time(first).await.unwrap().unwrap_err());
    assert!(["Unavailable UNAVAILABLE", "Unauthenticated SESSION_ENDED"].contains(&refusal.as_str()), "{refusal}");
}
