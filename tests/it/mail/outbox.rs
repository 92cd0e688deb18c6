//! A letter is written with its cause, read by nobody on the way, and gone once it has left.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;

use crate::support::{
    Moody, TestApp,
    grpc::{refresh, sign_up},
    on_both_engines,
    process::in_time,
};

const WAITING: &str = "SELECT COUNT(*) FROM outbox";
const DEAD: &str = "SELECT COUNT(*) FROM outbox WHERE dead_at IS NOT NULL";

async fn moody(engine: crate::support::Engine) -> (TestApp, Arc<Moody>) {
    let mailer = Arc::new(Moody::default());
    let app = TestApp::with(engine, |setup| setup.mailer = Some(mailer.clone())).await;
    (app, mailer)
}

/// Makes an account, and a letter to it.
async fn write_to(app: &TestApp, address: &str) {
    app.with_account(address).await;
    sign_up(&mut app.client().await, address).await;
}

on_both_engines! {
    async fn whoever_has_the_address_learns_that_somebody_tried_to_sign_up_with_it(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        app.with_account("Ada@example.com").await;
        assert_eq!(app.letters().await, [""; 0]);
        sign_up(&mut client, "ADA@EXAMPLE.COM").await;
        assert_eq!(app.letters().await, ["Ada@example.com: You have an account already"], "as they spell it themselves");
        assert_eq!(app.database.number(WAITING).await, 0);
    }

    async fn a_session_that_is_ended_by_many_at_once_is_told_of_once(engine) {
        let app = TestApp::spawn(engine).await;
        let client = app.client().await;
        let stolen = app.signed_in("ada@example.com").await.tokens.unwrap();
        refresh(&mut client.clone(), &stolen.refresh_token).await.unwrap();
        app.clock.advance(Duration::from_mins(2));
        let mut thieves = JoinSet::new();
        for _ in 0..8 {
            let (mut client, token) = (client.clone(), stolen.refresh_token.clone());
            thieves.spawn(async move { refresh(&mut client, &token).await.unwrap_err() });
        }
        thieves.join_all().await;
        let letters = app.letters().await;
        let told = letters.iter().filter(|letter| *letter == "ada@example.com: Your session was ended");
        assert_eq!(told.count(), 1, "{letters:?}");
        assert_eq!(app.database.number(WAITING).await, 0);
    }

    async fn a_letter_is_written_in_the_language_of_its_reader(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        app.with_account("ada@example.com").await;
        app.database.execute("UPDATE users SET locale = 'de'").await;
        sign_up(&mut client, "ada@example.com").await;
        assert_eq!(app.letters().await, ["ada@example.com: Sie haben schon ein Konto"]);
    }

    async fn whoever_reads_the_database_reads_no_mail(engine) {
        let (app, mailer) = moody(engine).await;
        write_to(&app, "busy@example.com").await;
        app.deliver().await;
        assert!(mailer.tries("busy@example.com") >= 1);
        let row = app.database.text("SELECT sealed || COALESCE(failure, '') FROM outbox").await.unwrap();
        assert!(row.starts_with("v4.local."), "{row}");
        assert!(!row.contains("busy@") && !row.contains("example.com"), "{row}");
    }

    async fn a_letter_cannot_be_put_in_the_place_of_another(engine) {
        let (app, mailer) = moody(engine).await;
        mailer.shut(true);
        for address in ["ada@example.com", "eve@example.com"] {
            write_to(&app, address).await;
        }
        app.deliver().await;
        app.database.execute("UPDATE outbox SET sealed = (SELECT MIN(sealed) FROM outbox)").await;
        mailer.shut(false);
        app.clock.advance(Duration::from_hours(1));
        app.deliver().await;
        assert_eq!(mailer.taken.recipients().len(), 1);
        let mismatched = "SELECT COUNT(*) FROM outbox WHERE failure LIKE '%does not open%' AND dead_at IS NULL";
        assert_eq!(app.database.number(mismatched).await, 1, "the key may yet come back");
    }

    async fn a_letter_that_cannot_leave_is_tried_less_and_less_often_until_it_is_given_up(engine) {
        let (app, mailer) = moody(engine).await;
        write_to(&app, "busy@example.com").await;
        app.deliver().await;
        let tries = || mailer.tries("busy@example.com");
        assert_eq!(tries(), 1);
        app.clock.advance(Duration::from_secs(4));
        app.deliver().await;
        assert_eq!(tries(), 1, "not before half of ten seconds");
        let mut last = Duration::ZERO;
        let mut waited = Duration::ZERO;
        for doubled in [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600] {
            let before = tries();
            last = Duration::ZERO;
            while tries() == before {
                last += Duration::from_secs(doubled) / 10;
                app.clock.advance(Duration::from_secs(doubled) / 10);
                app.deliver().await;
            }
            waited += last;
            assert!(last <= Duration::from_secs(doubled), "{last:?} of {doubled}");
        }
        assert!(last >= Duration::from_secs(1_700), "{last:?}");
        assert_eq!(app.database.number(DEAD).await, 0);
        app.clock.advance(Duration::from_hours(72).saturating_sub(waited));
        app.deliver().await;
        assert_eq!(app.database.number(DEAD).await, 1, "kept, for somebody to look at");
        let before = tries();
        app.clock.advance(Duration::from_hours(24));
        app.deliver().await;
        assert_eq!(tries(), before);
    }

    async fn what_is_refused_for_good_is_given_up_at_once_and_holds_up_nobody(engine) {
        let (app, mailer) = moody(engine).await;
        for number in 0..20 {
            write_to(&app, &format!("busy{number}@example.com")).await;
            write_to(&app, &format!("absent{number}@example.com")).await;
        }
        write_to(&app, "ada@example.com").await;
        app.deliver().await;
        assert_eq!(mailer.taken.recipients(), ["ada@example.com"]);
        assert_eq!(app.database.number(DEAD).await, 20);
        assert_eq!(app.database.number(WAITING).await, 40);
        assert_eq!(mailer.tries("absent7@example.com"), 1);
    }

    async fn a_letter_that_hangs_is_overtaken(engine) {
        let (app, mailer) = moody(engine).await;
        for number in 0..3 {
            write_to(&app, &format!("slow{number}@example.com")).await;
        }
        write_to(&app, "ada@example.com").await;
        in_time(async { while mailer.taken.recipients().is_empty() { tokio::task::yield_now().await; } }).await;
        assert_eq!(mailer.taken.recipients(), ["ada@example.com"]);
        mailer.gate.add_permits(3);
        app.deliver().await;
        assert_eq!(mailer.taken.recipients().len(), 4);
        assert_eq!(app.database.number(WAITING).await, 0);
        assert_eq!(mailer.tries("slow1@example.com"), 1, "and not sent twice for that");
    }

    async fn a_letter_goes_when_its_user_does(engine) {
        let (app, mailer) = moody(engine).await;
        write_to(&app, "busy@example.com").await;
        app.deliver().await;
        assert_eq!(app.database.number(WAITING).await, 1);
        app.database.execute("DELETE FROM users").await;
        assert_eq!(app.database.number(WAITING).await, 0);
        assert_eq!(mailer.taken.recipients(), [""; 0]);
    }
}
