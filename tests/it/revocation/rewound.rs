//! The database was set back, by a restored backup or a failover that lost its tail: what was acknowledged stays revoked.

use super::{log_out, log_out_everywhere, quiet_node, sessions, verdict};
use crate::support::{
    TestApp,
    grpc::{refresh, summary},
    on_both_engines,
};

/// As it was before anything was revoked.
const SET_BACK: [&str; 4] = [
    "DELETE FROM revocation_feed",
    "UPDATE feed_head SET seq = 0",
    "UPDATE sessions SET ended_at = NULL, end_reason = NULL",
    "UPDATE users SET epoch = 0",
];

on_both_engines! {
    async fn what_the_database_has_forgotten_stays_revoked_and_what_is_new_is_learnt(engine) {
        let app = TestApp::spawn(engine).await;
        let node = quiet_node(&app).await;
        let before = sessions(&app, "ada@example.com", 20).await;
        let everywhere = sessions(&app, "eve@example.com", 2).await;
        let after = sessions(&app, "bob@example.com", 30).await;
        for session in &before {
            log_out(&app.app, &session.tokens.access).await;
        }
        log_out_everywhere(&app.app, &everywhere[0].tokens.access).await;
        node.pull_revocations().await.unwrap();

        for statement in SET_BACK {
            app.database.execute(statement).await;
        }
        // The numbers that were lost are given out again, for something else.
        for session in &after {
            log_out(&app.app, &session.tokens.access).await;
        }
        node.pull_revocations().await.unwrap();

        for session in before.iter().chain(&everywhere).chain(&after) {
            assert_eq!(verdict(&node, &session.tokens.access).await, "session ended");
        }
        for session in &before {
            let refusal = refresh(&mut app.client().await, session.tokens.refresh.expose()).await.unwrap_err();
            assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED", "ended again in the database");
        }
        let again = "SELECT COUNT(*) FROM audit_events WHERE kind = 'revoked_again'";
        assert!(app.database.number(again).await >= 20);
        let newcomer = quiet_node(&app).await;
        for session in &before {
            assert_eq!(verdict(&newcomer, &session.tokens.access).await, "session ended", "also on nodes that come later");
        }
    }

    async fn a_tail_that_is_missing_is_noticed_once(engine) {
        let app = TestApp::spawn(engine).await;
        let node = quiet_node(&app).await;
        let opened = sessions(&app, "ada@example.com", 3).await;
        log_out(&app.app, &opened[0].tokens.access).await;
        log_out(&app.app, &opened[1].tokens.access).await;
        node.pull_revocations().await.unwrap();
        app.database.execute("DELETE FROM revocation_feed").await;
        node.pull_revocations().await.unwrap();
        log_out(&app.app, &opened[2].tokens.access).await;
        node.pull_revocations().await.unwrap();
        for session in &opened {
            assert_eq!(verdict(&node, &session.tokens.access).await, "session ended");
        }
    }
}
