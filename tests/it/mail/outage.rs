//! The mail server is away, in every way that it can be, for ten minutes: nobody who calls notices, and no letter is lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use countersign::mail::{SmtpMailer, SmtpSettings};

use crate::support::{
    TestApp,
    grpc::{refresh, sign_up},
    on_both_engines,
    smtp::SmtpServer,
};

const MOODS: [&str; 7] = ["refusing", "silent", "busy", "strict", "full", "cutting", "forgetful"];
const MINUTES: usize = 10;

on_both_engines! {
    async fn ten_minutes_without_a_mail_server_lose_no_letter(engine) {
        let mut server = SmtpServer::start().await;
        let impatient = SmtpSettings { timeout: Duration::from_secs(1), ..server.settings() };
        let mailer = Arc::new(SmtpMailer::new(impatient).unwrap());
        let app = TestApp::with(engine, |setup| setup.mailer = Some(mailer)).await;
        let mut client = app.client().await;
        let mut written = Vec::new();
        for mood in MOODS {
            server.turn(mood).await;
            written.push(format!("ada-{mood}@example.com"));
            let mut token = app.signed_in(&format!("ada-{mood}@example.com")).await.tokens.unwrap().refresh_token;
            for minute in 0..MINUTES {
                let address = format!("{mood}{minute}@example.com");
                sign_up(&mut client, &address).await;
                sign_up(&mut client, &address).await;
                written.push(address);
                app.clock.advance(Duration::from_mins(1));
                token = refresh(&mut client, &token).await.unwrap().refresh_token;
                app.deliver().await;
            }
            server.turn("well").await;
            while app.database.number("SELECT COUNT(*) FROM outbox").await > 0 {
                app.clock.advance(Duration::from_hours(1));
                app.deliver().await;
            }
        }
        let mut arrived: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for letter in server.letters().await {
            arrived.entry(letter.to.concat()).or_default().push(letter.header("Message-ID"));
        }
        let lost: Vec<&String> = written.iter().filter(|address| !arrived.contains_key(*address)).collect();
        assert!(lost.is_empty() && arrived.len() == written.len(), "{lost:?}");
        for (address, ids) in arrived {
            // To confirm the address, and that somebody signed up with it again.
            let letters = if address.contains(|c: char| c.is_ascii_digit()) { 2 } else { 1 };
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), letters, "{address}: {ids:?}");
            // A server that takes a letter and does not say so gets it again; it can be told by its id.
            assert!(ids.len() == letters || address.contains("forgetful"), "{address}: {ids:?}");
        }
    }
}
