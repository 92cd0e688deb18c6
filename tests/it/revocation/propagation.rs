//! Many revoke at once: whoever looks afterwards knows it all, and a cursor over serial numbers would not.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use sqlx::{Executor as _, PgConnection, Row as _};
use tokio::task::JoinSet;

use super::{log_in, log_out, log_out_everywhere, quiet_node, sessions, verdict};
use crate::support::{Engine, TestApp, grpc::sign_up, on_both_engines};

pub const WRITERS: usize = 16;

/// Transactions that take up to 20 ms from the row they change to the number they take, and as long again to their commit; and
/// a table with serial numbers, as a feed would have it that nobody thought about.
pub const DELAYS: &str = "
    CREATE TABLE naive (id BIGSERIAL PRIMARY KEY, session UUID NOT NULL);
    CREATE FUNCTION wait_some() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_sleep(random() * 0.02); RETURN NULL; END';
    CREATE FUNCTION number_naively() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO naive (session) VALUES (NEW.id); PERFORM pg_sleep(random() * 0.02); RETURN NULL; END';
    CREATE TRIGGER before_the_number AFTER UPDATE OF ended_at ON sessions
        FOR EACH ROW EXECUTE FUNCTION number_naively();
    CREATE TRIGGER after_the_number AFTER INSERT ON revocation_feed FOR EACH ROW EXECUTE FUNCTION wait_some();";

/// Follows the serial numbers until told to stop, and gives every session that it saw.
pub async fn follow_naively(mut database: PgConnection, stop: Arc<AtomicBool>) -> BTreeSet<Vec<u8>> {
    let (mut last, mut seen) = (0_i64, BTreeSet::new());
    loop {
        let is_over = stop.load(Ordering::SeqCst);
        let sql = "SELECT id, uuid_send(session) FROM naive WHERE id > $1 ORDER BY id";
        for row in sqlx::query(sql).bind(last).fetch_all(&mut database).await.unwrap() {
            last = row.get(0);
            seen.insert(row.get(1));
        }
        if is_over {
            return seen;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_looks_after_an_acknowledgement_knows_it() {
    const ROUNDS: usize = 25;
    let one = TestApp::spawn(Engine::Postgres).await;
    let other = one.another_node().await;
    one.database.postgres().await.execute(DELAYS).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let naive = tokio::spawn(follow_naively(one.database.postgres().await, Arc::clone(&stop)));
    let missed = Arc::new(AtomicUsize::new(0));

    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let email = format!("user{writer}@example.com");
        sign_up(&mut one.client().await, &email).await;
        let (here, there, missed) = (one.app.clone(), other.app.clone(), Arc::clone(&missed));
        writers.spawn(async move {
            for round in 0..ROUNDS {
                let session = log_in(&here, &email).await.tokens.access;
                assert_eq!(verdict(&there, &session).await, "passes");
                let (from, to) = if round % 2 == 0 { (&here, &there) } else { (&there, &here) };
                if round % 5 == 0 {
                    log_out_everywhere(from, &session).await;
                } else {
                    log_out(from, &session).await;
                }
                assert_eq!(verdict(from, &session).await, "session ended", "here at once");
                to.pull_revocations().await.unwrap();
                missed.fetch_add(usize::from(verdict(to, &session).await != "session ended"), Ordering::SeqCst);
            }
        });
    }
    writers.join_all().await;
    stop.store(true, Ordering::SeqCst);
    let seen = naive.await.unwrap();

    assert_eq!(missed.load(Ordering::SeqCst), 0);
    let all = WRITERS * ROUNDS;
    assert!(seen.len() < all, "the control misses some: without that, this test would prove nothing");
    let gaps = "SELECT COUNT(*) FROM feed_head h WHERE h.seq <> (SELECT COUNT(*) FROM revocation_feed f WHERE f.part = h.part)";
    assert_eq!(one.database.number(gaps).await, 0, "numbered without gaps");
    assert!(one.database.number("SELECT COUNT(DISTINCT part) FROM revocation_feed").await > 1);
}

on_both_engines! {
    async fn all_sessions_of_somebody_are_one_entry(engine) {
        let app = TestApp::spawn(engine).await;
        let opened = sessions(&app, "ada@example.com", 20).await;
        let node = quiet_node(&app).await;
        log_out_everywhere(&app.app, &opened[0].tokens.access).await;
        assert_eq!(app.database.number("SELECT COUNT(*) FROM revocation_feed").await, 1);
        node.pull_revocations().await.unwrap();
        for session in &opened {
            assert_eq!(verdict(&node, &session.tokens.access).await, "session ended");
        }
        let later = log_in(&app.app, "ada@example.com").await;
        assert_eq!(verdict(&node, &later.tokens.access).await, "passes", "what was opened afterwards is of the next epoch");
    }

    async fn ending_what_has_ended_is_no_news(engine) {
        let app = TestApp::spawn(engine).await;
        let session = sessions(&app, "ada@example.com", 1).await.remove(0).tokens.access;
        for _ in 0..3 {
            log_out(&app.app, &session).await;
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM revocation_feed").await, 1);
    }

    async fn old_entries_are_swept_and_nobody_loses_their_place(engine) {
        let app = TestApp::spawn(engine).await;
        let opened = sessions(&app, "ada@example.com", 40).await;
        let node = quiet_node(&app).await;
        for session in &opened[..39] {
            log_out(&app.app, &session.tokens.access).await;
        }
        node.pull_revocations().await.unwrap();
        let entries = async || app.database.number("SELECT COUNT(*) FROM revocation_feed").await;
        app.app.sweep_feed().await.unwrap();
        assert_eq!(entries().await, 39);
        app.clock.advance(std::time::Duration::from_hours(2));
        app.app.sweep_feed().await.unwrap();
        let heads = app.database.number("SELECT COUNT(*) FROM feed_head WHERE seq > 0").await;
        assert_eq!(entries().await, heads, "the last of each part stays");
        let opened = log_in(&app.app, "ada@example.com").await.tokens.access;
        let fresh = quiet_node(&app).await;
        log_out(&app.app, &opened).await;
        for node in [&node, &fresh] {
            node.pull_revocations().await.unwrap();
            assert_eq!(verdict(node, &opened).await, "session ended");
        }
    }
}
