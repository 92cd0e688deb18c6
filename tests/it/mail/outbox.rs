//! A letter is written with its cause, read by nobody on the way, and gone once it has left.

use crate::support::{
    TestApp,
    grpc::{refresh, sign_up},
    on_both_engines,
};

const WAITING: &str = "SELECT COUNT(*) FROM outbox";

on_both_engines! {
    async fn whoever_has_the_address_learns_that_somebody_tried_to_sign_up_with_it(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, "Ada@example.com").await;
        assert_eq!(app.letters().await, [""; 0]);
        sign_up(&mut client, "ADA@EXAMPLE.COM").await;
        assert_eq!(app.letters().await, ["Ada@example.com: You have an account already"], "as they spell it themselves");
        assert_eq!(app.database.number(WAITING).await, 0);
    }

    async fn a_session_that_is_ended_twice_is_told_of_once(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        let stolen = app.signed_in("ada@example.com").await.tokens.unwrap();
        refresh(&mut client, &stolen.refresh_token).await.unwrap();
        app.clock.advance(std::time::Duration::from_mins(2));
        for _ in 0..3 {
            refresh(&mut client, &stolen.refresh_token).await.unwrap_err();
        }
        assert_eq!(app.letters().await, ["ada@example.com: Your session was ended"]);
        assert_eq!(app.database.number(WAITING).await, 0);
    }
}
