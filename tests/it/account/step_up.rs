//! A25: what must not be done by whoever finds a session open asks for a fresh proof, and says how fresh.

use std::time::Duration;

use countersign::proto::{DeleteAccountRequest, ExportAccountRequest, ReauthenticateRequest};
use tonic_types::StatusExt as _;

use crate::support::{
    PASSWORD, TestApp,
    grpc::{refresh, summary, with_bearer},
    on_both_engines,
};

on_both_engines! {
    async fn a25_an_old_proof_is_refused_with_how_fresh_it_has_to_be_and_a_new_one_passes(engine) {
        let app = TestApp::spawn(engine).await;
        let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
        app.clock.advance(Duration::from_secs(10 * 60 + 1));
        // Fresh credentials are no fresh proof.
        let tokens = refresh(&mut app.client().await, &tokens.refresh_token).await.unwrap();
        let mut account = app.account().await;

        let refusal = account.export_account(with_bearer(ExportAccountRequest {}, &tokens.access_token)).await.unwrap_err();

        assert_eq!(summary(&refusal), "PermissionDenied STEP_UP_REQUIRED");
        let info = refusal.get_error_details().error_info().unwrap().clone();
        assert_eq!(info.metadata.into_iter().collect::<Vec<_>>(), [("max_age_seconds".to_owned(), "600".to_owned())]);
        let refusal = account.delete_account(with_bearer(DeleteAccountRequest {}, &tokens.access_token)).await.unwrap_err();
        assert_eq!(summary(&refusal), "PermissionDenied STEP_UP_REQUIRED");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE delete_after IS NOT NULL").await, 0);

        let request = with_bearer(ReauthenticateRequest { password: PASSWORD.to_owned() }, &tokens.access_token);
        let proven = account.reauthenticate(request).await.unwrap().into_inner().signed_in.unwrap().tokens.unwrap();
        assert!(account.export_account(with_bearer(ExportAccountRequest {}, &proven.access_token)).await.is_ok());
        assert!(account.delete_account(with_bearer(DeleteAccountRequest {}, &proven.access_token)).await.is_ok());
    }
}
