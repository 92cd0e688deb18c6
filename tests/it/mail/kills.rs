//! The binary is killed again and again while it sends: every letter arrives, and no more of them twice than there were kills.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::support::{
    Database,
    grpc::sign_up,
    on_both_engines,
    process::{Binary, in_time},
    smtp::SmtpServer,
};

const KILLS: usize = 6;
const LETTERS: usize = 4;

fn binary(database: &Database, server: &SmtpServer) -> Binary {
    Binary::default()
        .patient()
        .with("COUNTERSIGN_DATABASE__URL", database.url(None))
        .with("COUNTERSIGN_PASSWORDS__MEMORY_KIB", "32")
        .with("COUNTERSIGN_PASSWORDS__ITERATIONS", "1")
        .with("COUNTERSIGN_MAIL__TRANSPORT", "smtp")
        .with("COUNTERSIGN_MAIL__FROM", "Example <no-reply@example.com>")
        .with("COUNTERSIGN_MAIL__SMTP_HOST", "127.0.0.1")
        .with("COUNTERSIGN_MAIL__SMTP_PORT", server.port.to_string())
        .with("COUNTERSIGN_MAIL__SMTP_SECURITY", "none")
}

on_both_engines! {
    async fn letters_outlive_the_process_that_should_send_them(engine) {
        let database = Arc::new(Database::create(engine).await);
        let mut server = SmtpServer::start().await;
        let binary = binary(&database, &server);
        let mut written = Vec::new();
        for kill in 0..KILLS {
            // Now in the middle of sending, now with nobody to send to, now while nobody answers.
            server.turn(["well", "refusing", "silent"][kill % 3]).await;
            let serving = binary.serve().await;
            let mut client = serving.client().await;
            for number in 0..LETTERS {
                let address = format!("k{kill}n{number}@example.com");
                sign_up(&mut client, &address).await;
                sign_up(&mut client, &address).await;
                written.push(address);
            }
            serving.signal("KILL").await;
            serving.ended().await;
            // What the dead one held is due again, as it is some minutes later.
            database.execute("UPDATE outbox SET due_at = 0").await;
        }
        server.turn("well").await;
        let serving = binary.serve().await;
        let all_sent = async { while database.number("SELECT COUNT(*) FROM outbox").await > 0 {} };
        in_time(all_sent).await;
        assert_eq!(serving.stop().await.code, Some(0));

        let mut arrived: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for letter in server.letters().await {
            arrived.entry(letter.to.concat()).or_default().push(letter.header("Message-ID"));
        }
        let lost: Vec<&String> = written.iter().filter(|address| !arrived.contains_key(*address)).collect();
        assert!(lost.is_empty(), "{lost:?}");
        let ids: BTreeSet<&String> = arrived.values().flatten().collect();
        assert_eq!(ids.len(), 2 * written.len(), "to confirm the address, and that somebody signed up with it again");
        let twice = arrived.values().flatten().count() - ids.len();
        assert!(twice <= KILLS, "{twice}");
    }
}
