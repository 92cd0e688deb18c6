//! What was over long ago is deleted, and nothing else is.

use std::time::Duration;

use countersign::proto::LogoutRequest;

use crate::support::{
    TestApp,
    grpc::{refresh, summary, with_bearer},
    on_both_engines,
};

const DAY: Duration = Duration::from_hours(24);

on_both_engines! {
    async fn sessions_are_deleted_a_month_after_their_end(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        let signed_out = app.signed_in("ada@example.com").await.tokens.unwrap();
        client.logout(with_bearer(LogoutRequest::default(), &signed_out.access_token)).await.unwrap();
        let expired = app.signed_in("bob@example.com").await.tokens.unwrap();
        let sessions = async || app.database.number("SELECT COUNT(*) FROM sessions").await;

        app.clock.advance(30 * DAY);
        app.app.sweep_sessions().await.unwrap();
        assert_eq!(sessions().await, 2, "one ended 30 days ago, the other expired 23 days ago");

        app.clock.advance(DAY);
        app.app.sweep_sessions().await.unwrap();
        assert_eq!(sessions().await, 1);
        let live = app.signed_in("cyd@example.com").await.tokens.unwrap();
        app.clock.advance(6 * DAY);
        let live = refresh(&mut client, &live.refresh_token).await.unwrap();
        app.clock.advance(DAY);
        app.app.sweep_sessions().await.unwrap();
        assert_eq!(sessions().await, 1, "the live one");

        assert!(refresh(&mut client, &live.refresh_token).await.is_ok());
        for dead in [signed_out, expired] {
            let refusal = refresh(&mut client, &dead.refresh_token).await.unwrap_err();
            assert_eq!(summary(&refusal), "Unauthenticated TOKEN_INVALID");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users").await, 3);
    }

    async fn dead_sessions_are_found_among_any_number_of_others(engine) {
        let app = TestApp::spawn(engine).await;
        app.signed_in("ada@example.com").await;
        app.database.copy_sessions(15_000).await;
        // Of five one has expired long ago, and one has ended.
        app.clock.advance(60 * DAY);
        let every = |remainder: u32, change: &str| {
            let numbered = "SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS n FROM sessions";
            format!("UPDATE sessions SET {change} WHERE id IN (SELECT id FROM ({numbered}) AS numbered WHERE n % 5 = {remainder})")
        };
        let lives_on = format!("idle_expires_at = idle_expires_at + {}", (60 * DAY).as_millis());
        for living in 1..5 {
            app.database.execute(&every(living, &lives_on)).await;
        }
        app.database.execute(&every(1, "ended_at = authenticated_at, end_reason = 'signed_out'")).await;
        app.app.sweep_sessions().await.unwrap();
        let sessions = async |which: &str| app.database.number(&format!("SELECT COUNT(*) FROM sessions {which}")).await;
        assert_eq!(sessions("").await, 9_000);
        assert_eq!(sessions("WHERE ended_at IS NULL").await, 9_000);
        assert_eq!(app.database.number("SELECT COUNT(DISTINCT idle_expires_at) FROM sessions").await, 1, "those that live on");
    }
}
