//! Signing in from a known device, which the service does in one exchange with the database where nothing speaks against it.

use countersign::{
    app::{App, Error, Login, Rejection, SignedIn},
    domain::{Device, DeviceToken, Password},
};
use sqlx::{Executor as _, PgConnection, Row as _};

use crate::support::{Engine, PASSWORD, TestApp, grpc::sign_up, on_both_engines};

const ADA: &str = "ada@example.com";
const OPEN: &str = "SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL";
const LETTERS: &str = "SELECT COUNT(*) FROM outbox";

async fn log_in(app: &App, known: Option<DeviceToken>) -> Result<SignedIn, Error> {
    let (email, password) = (ADA.parse().unwrap(), Password::parse(PASSWORD).unwrap());
    app.login(Login { email, password, device: Device::default(), known }).await
}

fn device(signed_in: SignedIn) -> Option<DeviceToken> {
    signed_in.tokens.device
}

/// A person with this many devices that are known, and as many open sessions.
async fn known_at(app: &TestApp, devices: usize) -> Vec<Option<DeviceToken>> {
    sign_up(&mut app.client().await, ADA).await;
    let mut known = Vec::new();
    for _ in 0..devices {
        known.push(device(log_in(&app.app, None).await.unwrap()));
    }
    app.deliver().await;
    known
}

async fn wait_for_waiting(connection: &mut PgConnection, count: i64) {
    let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple') \
                   AND pid <> pg_backend_pid() AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())";
    while connection.fetch_one(waiting).await.unwrap().get::<i64, _>(0) < count {}
}

on_both_engines! {
    async fn a_known_device_makes_room_too(engine) {
        let app = TestApp::with(engine, |setup| setup.policy.max_sessions_per_user = 2).await;
        let known = known_at(&app, 2).await;
        log_in(&app.app, known[0].clone()).await.unwrap();
        assert_eq!(app.database.number(OPEN).await, 2);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions WHERE end_reason = 'displaced'").await, 1);
        assert_eq!(app.database.number(LETTERS).await, 0, "a known device is no news");
    }

    async fn who_signs_in_from_a_known_device_keeps_their_account(engine) {
        let app = TestApp::spawn(engine).await;
        let known = known_at(&app, 1).await;
        app.database.execute("UPDATE users SET delete_after = 4102444800000").await;
        log_in(&app.app, known[0].clone()).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE delete_after IS NULL").await, 1);
        let cancelled = "SELECT COUNT(*) FROM audit_events WHERE kind = 'deletion_cancelled'";
        assert_eq!(app.database.number(cancelled).await, 1);
    }

    async fn each_sign_in_has_its_session_its_entry_and_its_device(engine) {
        let app = TestApp::spawn(engine).await;
        let mut known = known_at(&app, 1).await.remove(0);
        for _ in 0..3 {
            let signed_in = log_in(&app.app, known).await.unwrap();
            let entry = format!(
                "SELECT COUNT(*) FROM audit_events JOIN sessions ON sessions.id = session_id AND sessions.user_id = audit_events.user_id \
                 WHERE kind = 'signed_in' AND at = {}", signed_in.session.authenticated_at.unix_millis()
            );
            assert!(app.app.refresh(&signed_in.tokens.refresh, Device::default()).await.is_ok());
            assert!(app.database.number(&entry).await > 0);
            known = device(signed_in);
        }
        assert_eq!(app.database.number(OPEN).await, 4);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM audit_events WHERE kind = 'signed_in'").await, 4);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM devices").await, 1);
        assert_eq!(app.database.number(LETTERS).await, 0);
    }

    // All or nothing, and nobody after it finds themselves inside of what was left half way.
    async fn a_sign_in_that_fails_half_way_leaves_nothing_behind(engine) {
        let app = TestApp::spawn(engine).await;
        let known = known_at(&app, 1).await.remove(0);
        app.database.execute("ALTER TABLE audit_events RENAME TO elsewhere").await;
        for _ in 0..3 {
            let failed = log_in(&app.app, known.clone()).await;
            assert!(matches!(failed, Err(Error::Failed(_))), "{failed:?}");
        }
        app.database.execute("ALTER TABLE elsewhere RENAME TO audit_events").await;
        assert_eq!(app.database.number(OPEN).await, 1);
        log_in(&app.app, known).await.unwrap();
        assert_eq!(app.database.number(OPEN).await, 2);
        assert_eq!(app.database.number(LETTERS).await, 0, "the device was known by the same token as before");
    }
}

async fn two_at_once(is_serializable: bool) {
    let app = TestApp::with(Engine::Postgres, |setup| {
        setup.serializable = is_serializable;
        setup.policy.max_sessions_per_user = 3;
    })
    .await;
    let known = known_at(&app, 2).await;
    let mut holder = app.database.postgres().await;
    holder.execute("BEGIN; SELECT id FROM users FOR UPDATE").await.unwrap();
    let both: Vec<_> = known
        .into_iter()
        .map(|known| {
            let node = app.app.clone();
            tokio::spawn(async move { log_in(&node, known).await })
        })
        .collect();
    wait_for_waiting(&mut holder, 2).await;
    holder.execute("COMMIT").await.unwrap();
    for signed_in in both {
        signed_in.await.unwrap().unwrap();
    }
    assert_eq!(app.database.number(OPEN).await, 3);
    assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions WHERE end_reason = 'displaced'").await, 1);
    assert_eq!(app.database.number(LETTERS).await, 0);
}

// Each waits for the other with a view of the sessions from before: only a new look tells that one more would be too many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_are_not_both_the_last_that_fits() {
    Box::pin(two_at_once(false)).await;
    Box::pin(two_at_once(true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_signed_out_everywhere_while_they_sign_in_gets_no_session() {
    let app = TestApp::spawn(Engine::Postgres).await;
    let known = known_at(&app, 1).await.remove(0);
    let mut ending = app.database.postgres().await;
    ending.execute("BEGIN; UPDATE users SET epoch = epoch + 1").await.unwrap();
    let (node, token) = (app.app.clone(), known.clone());
    let signing_in = tokio::spawn(async move { log_in(&node, token).await });
    wait_for_waiting(&mut ending, 1).await;
    ending.execute("COMMIT").await.unwrap();
    let refused = signing_in.await.unwrap();
    assert!(matches!(refused, Err(Error::Rejected(Rejection::BadCredentials))), "{refused:?}");
    assert_eq!(app.database.number(OPEN).await, 1);
    log_in(&app.app, known).await.unwrap();
    assert_eq!(app.database.number(LETTERS).await, 0, "the device was known by the same token as before");
}
