//! What was given up is shown, and tried again when an operator says so.

use crate::support::{
    Database,
    grpc::sign_up,
    on_both_engines,
    process::{Binary, in_time},
    smtp::SmtpServer,
};

on_both_engines! {
    async fn a_letter_that_was_given_up_is_listed_and_can_be_tried_again(engine) {
        let database = Database::create(engine).await;
        let mut server = SmtpServer::start().await;
        let binary = Binary::default()
            .patient()
            .with("COUNTERSIGN_DATABASE__URL", database.url(None))
            .with("COUNTERSIGN_MAIL__TRANSPORT", "smtp")
            .with("COUNTERSIGN_MAIL__FROM", "no-reply@example.com")
            .with("COUNTERSIGN_MAIL__SMTP_HOST", "127.0.0.1")
            .with("COUNTERSIGN_MAIL__SMTP_PORT", server.port.to_string())
            .with("COUNTERSIGN_MAIL__SMTP_SECURITY", "none");
        let mut serving = binary.serve().await;
        let mut client = serving.client().await;
        let given_up = async || {
            let dead = "SELECT COUNT(*) FROM outbox WHERE dead_at IS NOT NULL";
            in_time(async { while database.number(dead).await == 0 {} }).await;
        };
        sign_up(&mut client, "absent@example.com").await;
        given_up().await;
        // The letter that confirms the address is not the one that this is about.
        database.execute("DELETE FROM outbox").await;
        sign_up(&mut client, "absent@example.com").await;
        given_up().await;
        let line = serving.line("a letter is given up").await;
        assert!(line.contains("RCPT was answered 550") && !line.contains("absent@"), "{line}");

        let listed = binary.run(&["mail", "list"]).await;
        assert_eq!(listed.code, Some(0), "{listed:?}");
        assert!(!listed.stdout.contains("absent@"), "{listed:?}");
        let rows: Vec<Vec<&str>> = listed.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0].join(" "), "ID WRITTEN TRIES STATE LAST FAILURE");
        assert_eq!((rows.len(), rows[1][2..].join(" ").as_str()), (2, "1 given up RCPT was answered 550"), "{rows:?}");

        let id = rows[1][0];
        let unknown = binary.run(&["mail", "retry", "00000000-0000-7000-8000-000000000000"]).await;
        assert_eq!(unknown.code, Some(1), "{unknown:?}");
        assert!(unknown.stderr.ends_with("was given up\n"), "{unknown:?}");
        assert_eq!(binary.run(&["mail", "retry"]).await.code, Some(2), "which one?");

        // Their mailbox is there by now.
        database.execute("UPDATE users SET email = 'ada@example.com', email_key = 'ada@example.com'").await;
        let again = binary.run(&["mail", "retry", id]).await;
        assert_eq!((again.code, again.stdout.as_str()), (Some(0), "to be tried again: 1\n"), "{again:?}");
        in_time(async { while database.number("SELECT COUNT(*) FROM outbox").await > 0 {} }).await;
        assert_eq!(server.letters().await[0].to, ["ada@example.com"]);
        assert_eq!(binary.run(&["mail", "retry", "--all"]).await.stdout, "to be tried again: 0\n");
        assert_eq!(serving.stop().await.code, Some(0));
    }
}
