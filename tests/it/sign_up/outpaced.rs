//! What happens to an account between the look at its password and the session that it opens.

use countersign::proto::LoginRequest;

use crate::support::{
    Engine, TestApp,
    grpc::{login_request, summary},
    metrics::Scrape,
    on_both_engines,
    process::in_time,
};

const ADA: &str = "ada@example.com";
/// What somebody did whose transaction came first.
const CHANGES: [&str; 3] =
    ["UPDATE users SET epoch = epoch + 1", "UPDATE users SET disabled_at = 1", "DELETE FROM users"];

/// Signs in with the right password, and has the account changed before the session can be opened.
async fn outpaced(engine: Engine, change: &str) {
    let app =
        Box::pin(TestApp::with(engine, |setup| setup.server.metrics = Some("127.0.0.1:0".parse().unwrap()))).await;
    app.with_account(ADA).await;
    let hashed = async || Box::pin(Scrape::of(app.metrics.unwrap())).await.get("hash_duration_seconds_count");
    let before = hashed().await;
    let held = app.database.hold_users().await;
    let signing_in = tokio::spawn({
        let (mut client, request): (_, LoginRequest) = (app.client().await, login_request(ADA));
        async move { client.login(request).await }
    });
    // From then on the password was right, and it waits for what is held.
    in_time(async { while hashed().await <= before {} }).await;
    held.commit(change).await;
    let refused = in_time(signing_in).await.unwrap().unwrap_err();
    assert_eq!(summary(&refused), "Unauthenticated BAD_CREDENTIALS", "{change}");
    assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions").await, 0, "{change}");
    let events = "SELECT COUNT(*) FROM audit_events WHERE kind = 'signed_in'";
    assert_eq!(app.database.number(events).await, 0, "{change}");
}

on_both_engines! {
    async fn who_was_signed_out_disabled_or_deleted_meanwhile_opens_no_session(engine) {
        for change in CHANGES {
            Box::pin(outpaced(engine, change)).await;
        }
    }
}
