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
}
