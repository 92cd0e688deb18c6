//! Signing in from a known device, which the service does in one exchange with the database where nothing speaks against it.

use countersign::{
    app::{App, Error, Login, Rejection, SignedIn},
    domain::{
        AuditEvent, AuditId, AuditKind, Device, DeviceId, DeviceToken, Password, Session, SessionId, Sighting,
        Timestamp, UserEpoch,
    },
    store::Opening,
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

/// A sign-in that nothing speaks against, after `signed_in`, which was the first.
fn another(signed_in: &SignedIn, device: Device) -> Opening {
    let (user, at) = (&signed_in.user, Timestamp::from_unix_millis(1_800_000_000_123));
    let session = Session { id: SessionId::new(at, [1; 10]), ..signed_in.session.clone() };
    let presented = signed_in.tokens.device.as_ref().and_then(DeviceToken::parts).map(|parts| parts.device);
    Opening {
        epoch: user.epoch,
        most: 2,
        sighting: Sighting { presented, named: DeviceId::new(at, [2; 10]) },
        event: AuditEvent {
            id: AuditId::new(at, [3; 10]),
            at,
            kind: AuditKind::SignedIn,
            user: user.id,
            session: Some(session.id),
            by: device,
        },
        session,
    }
}

on_both_engines! {
    async fn what_nothing_speaks_against_is_done_at_once(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, ADA).await;
        let signed_in = log_in(&app.app, None).await.unwrap();
        let by = Device { address: Some("203.0.113.9".parse().unwrap()), user_agent: "Browser/1".to_owned() };
        let opening = another(&signed_in, by);
        assert!(app.store.open_session_at_once(&opening).await.unwrap());
        let both = "SELECT COUNT(*) FROM sessions a, sessions b WHERE a.id < b.id AND a.user_id = b.user_id \
                    AND a.salt = b.salt AND a.generation = b.generation AND a.rotated_at = b.rotated_at \
                    AND a.authenticated_at = b.authenticated_at AND a.idle_expires_at = b.idle_expires_at \
                    AND a.expires_at = b.expires_at AND a.idle_expires_at <> a.expires_at \
                    AND b.ended_at IS NULL AND b.end_reason IS NULL \
                    AND b.address = '203.0.113.9' AND b.user_agent = 'Browser/1'";
        assert_eq!(app.database.number(both).await, 1, "the same but for where it is");
        let entry = "SELECT COUNT(*) FROM audit_events e JOIN sessions s ON s.id = e.session_id AND s.user_id = e.user_id \
                     WHERE e.at = 1800000000123 AND e.kind = 'signed_in' AND e.address = '203.0.113.9' \
                     AND e.user_agent = 'Browser/1' AND s.user_agent = 'Browser/1'";
        assert_eq!(app.database.number(entry).await, 1);
        let seen = "SELECT COUNT(*) FROM devices WHERE last_seen_at = 1800000000123 AND first_seen_at < 1800000000123";
        assert_eq!(app.database.number(seen).await, 1);
        assert!(!app.store.open_session_at_once(&opening).await.unwrap(), "the device has another number now");
    }

    async fn what_anything_speaks_against_is_not(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, ADA).await;
        let signed_in = log_in(&app.app, None).await.unwrap();
        let opening = another(&signed_in, Device::default());
        let unheard_of = DeviceId::new(opening.event.at, [5; 10]);
        let elsewhere = |presented| Opening { sighting: Sighting { presented, ..opening.sighting }, ..opening.clone() };
        for (why, opening) in [
            ("no device", elsewhere(None)),
            ("another device", elsewhere(Some(unheard_of))),
            ("another epoch", Opening { epoch: UserEpoch::from_count(7), ..opening.clone() }),
            ("no room", Opening { most: 1, ..opening.clone() }),
        ] {
            assert!(!app.store.open_session_at_once(&opening).await.unwrap(), "{why}");
        }
        for changed in ["disabled_at", "delete_after"] {
            app.database.execute(&format!("UPDATE users SET {changed} = 4102444800000")).await;
            assert!(!app.store.open_session_at_once(&opening).await.unwrap(), "{changed}");
            app.database.execute(&format!("UPDATE users SET {changed} = NULL")).await;
        }
        let nothing = "SELECT (SELECT COUNT(*) FROM sessions) + (SELECT COUNT(*) FROM audit_events WHERE kind = 'signed_in') \
                       + (SELECT COUNT(*) FROM devices WHERE last_seen_at = first_seen_at)";
        assert_eq!(app.database.number(nothing).await, 3, "one session, one entry, and a device that was seen once");
        assert!(app.store.open_session_at_once(&opening).await.unwrap());
    }

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
        let (break_it, mend_it) = match engine {
            Engine::Postgres => {
                ("ALTER TABLE audit_events RENAME TO elsewhere", "ALTER TABLE elsewhere RENAME TO audit_events")
            }
            // There renaming a table renames it for whoever names it, too.
            Engine::Sqlite => (
                "CREATE TRIGGER broken BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'broken'); END",
                "DROP TRIGGER broken",
            ),
        };
        let app = TestApp::spawn(engine).await;
        let known = known_at(&app, 1).await.remove(0);
        app.database.execute(break_it).await;
        for _ in 0..3 {
            let failed = log_in(&app.app, known.clone()).await;
            assert!(matches!(failed, Err(Error::Failed(_))), "{failed:?}");
        }
        app.database.execute(mend_it).await;
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
