//! Several nodes share one outbox: each letter leaves once, whoever of them sends it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use crate::support::{Moody, TestApp, grpc::sign_up, on_both_engines};

const LETTERS: usize = 40;

on_both_engines! {
    async fn nodes_that_deliver_together_send_each_letter_once(engine) {
        let mailer = Arc::new(Moody::default());
        mailer.shut(true);
        let app = TestApp::with(engine, |setup| setup.mailer = Some(mailer.clone())).await;
        let mut client = app.client().await;
        for number in 0..LETTERS {
            let address = format!("u{number}@example.com");
            app.with_account(&address).await;
            sign_up(&mut client, &address).await;
        }
        app.deliver().await;
        let nodes = [app.another_node().await, app.another_node().await];
        mailer.shut(false);
        app.clock.advance(Duration::from_hours(1));
        tokio::join!(app.deliver(), nodes[0].deliver(), nodes[1].deliver());
        let sent = mailer.taken.recipients();
        assert_eq!(sent.iter().collect::<BTreeSet<_>>().len(), LETTERS);
        assert_eq!(sent.len(), LETTERS);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM outbox").await, 0);
    }
}
