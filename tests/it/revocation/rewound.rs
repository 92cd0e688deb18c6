//! The database was set back, by a restored backup or a failover that lost its tail: what was acknowledged stays revoked.

use countersign::{domain::Device, store::KeyRevocation};

use super::{log_in, log_out, log_out_everywhere, quiet_node, sessions, verdict};
use crate::support::{
    TestApp,
    codes::NEW_PASSWORD,
    grpc::{refresh, summary},
    on_both_engines,
};

on_both_engines! {
    async fn what_the_database_has_forgotten_stays_revoked_and_what_is_new_is_learnt(engine) {
        let app = TestApp::spawn(engine).await;
        let node = quiet_node(&app).await;
        let before = sessions(&app, "ada@example.com", 20).await;
        let everywhere = sessions(&app, "eve@example.com", 2).await;
        let after = sessions(&app, "bob@example.com", 30).await;
        app.database.back_up().await;
        for session in &before {
            log_out(&app.app, &session.tokens.access).await;
        }
        // By a node that is gone, so that nobody knows which sessions those were.
        log_out_everywhere(&quiet_node(&app).await, &everywhere[0].tokens.access).await;
        node.pull_revocations().await.unwrap();

        app.database.set_back().await;
        // The numbers that were lost are given out again, for something else.
        for session in &after {
            log_out(&app.app, &session.tokens.access).await;
        }
        node.pull_revocations().await.unwrap();

        for session in before.iter().chain(&everywhere).chain(&after) {
            assert_eq!(verdict(&node, &session.tokens.access).await, "session ended");
        }
        for session in before.iter().chain(&everywhere) {
            let refusal = refresh(&mut app.client().await, session.tokens.refresh.expose()).await.unwrap_err();
            assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED", "ended again in the database");
        }
        let again = "SELECT COUNT(*) FROM audit_events WHERE kind = 'revoked_again'";
        assert!(app.database.number(again).await >= 21);
        let newcomer = quiet_node(&app).await;
        for session in &before {
            assert_eq!(verdict(&newcomer, &session.tokens.access).await, "session ended", "also on nodes that come later");
        }
    }

    async fn keys_and_services_that_were_revoked_stay_so(engine) {
        let app = TestApp::spawn(engine).await;
        let node = quiet_node(&app).await;
        let stolen = sessions(&app, "ada@example.com", 1).await.remove(0).tokens;
        for name in ["gateway", "billing"] {
            app.app.create_backend(name.parse().unwrap(), vec!["countersign".parse().unwrap()], false).await.unwrap().unwrap();
        }
        app.database.back_up().await;
        let leaked = app.app.signing_keys()[0].id.clone();
        assert_eq!(app.app.revoke_key(&leaked).await.unwrap(), KeyRevocation::Done);
        assert!(app.app.revoke_backend(&"gateway".parse().unwrap()).await.unwrap());
        node.pull_revocations().await.unwrap();
        assert_eq!(verdict(&node, &stolen.access).await, "refused");

        app.database.set_back().await;
        node.pull_revocations().await.unwrap();

        assert_eq!(verdict(&node, &stolen.access).await, "refused");
        let newcomer = quiet_node(&app).await;
        assert_eq!(verdict(&newcomer, &stolen.access).await, "refused", "revoked again in the database");
        let renewed = newcomer.refresh(&stolen.refresh, Device::default()).await.unwrap().tokens.access;
        assert_eq!(verdict(&newcomer, &renewed).await, "passes", "another key signs");
        let live = "SELECT COUNT(*) FROM backends WHERE revoked_at IS NULL AND name = 'billing'";
        assert_eq!(app.database.number(live).await, 1);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM backends WHERE revoked_at IS NULL").await, 1);
    }

    async fn what_is_accepted_begins_anew_also_on_nodes_and_with_codes_that_were_there(engine) {
        let app = TestApp::spawn(engine).await;
        let node = quiet_node(&app).await;
        let old = sessions(&app, "ada@example.com", 2).await;
        let code = app.reset("ada@example.com").await;
        app.database.back_up().await;
        log_out_everywhere(&app.app, &old[0].tokens.access).await;
        node.pull_revocations().await.unwrap();
        app.database.set_back().await;

        app.app.accept_restore().await.unwrap();

        let new = log_in(&app.app, "ada@example.com").await.tokens.access;
        node.pull_revocations().await.unwrap();
        for node in [&app.app, &node, &quiet_node(&app).await] {
            assert_eq!(verdict(node, &old[1].tokens.access).await, "refused");
            assert_eq!(verdict(node, &new).await, "passes", "an epoch that nobody takes for an earlier one");
        }
        let refusal = app.client().await.reset_password(code.reset_by_token(NEW_PASSWORD)).await.unwrap_err();
        assert_eq!(summary(&refusal), "FailedPrecondition CODE_INVALID");
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
