//! The mail server is away, in every way that it can be, for ten minutes: nobody who calls notices, and no letter is lost.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

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
            let mut token = app.signed_in(&format!("{mood}@example.com")).await.tokens.unwrap().refresh_token;
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
        assert_eq!(arrived.len(), written.len());
        for address in written {
            let ids = &arrived[&address];
            // A server that takes a letter and does not say so gets it again; it can be told by its id.
            assert!(ids.len() == 1 || address.starts_with("forgetful"), "{address}: {ids:?}");
            assert!(ids.iter().all(|id| *id == ids[0]), "{address}: {ids:?}");
        }
    }
}
