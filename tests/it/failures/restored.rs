//! The database is set back while no node runs: the next start says so, and nothing that was revoked counts again.

use std::{fs, path::Path};

use countersign::proto::{LogoutRequest, Tokens, WhoAmIRequest};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection};

use crate::support::{
    Database, Engine,
    grpc::{Client, login, refresh, sign_up, summary, with_bearer},
    on_both_engines,
    process::{Binary, Output, Serving},
};

const MASTER_KEY: &str = "cs_mk_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
const ADA: &str = "ada@example.com";

fn node(database: &Database) -> Binary {
    Binary::default()
        .patient()
        .with("COUNTERSIGN_DATABASE__URL", database.url(None))
        .with("COUNTERSIGN_KEYS__MASTER_KEY", MASTER_KEY)
}

fn mark(binary: &Binary) -> std::path::PathBuf {
    binary.folder.path().join("data/feed.mark")
}

async fn sign_in(client: &mut Client) -> Tokens {
    login(client, ADA).await.unwrap().tokens.unwrap()
}

async fn sign_out(client: &mut Client, tokens: &Tokens) {
    client.logout(with_bearer(LogoutRequest::default(), &tokens.access_token)).await.unwrap();
}

async fn who_am_i(serving: &Serving, tokens: &Tokens) -> Result<(), String> {
    let answer = serving.client().await.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await;
    answer.map(drop).map_err(|refusal| summary(&refusal))
}

/// It does not serve, and says why and what to do.
async fn expect_refused(binary: &Binary) {
    let Output { code, stderr, .. } = binary.run(&["serve", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(code, Some(1), "{stderr}");
    assert!(
        stderr.contains("error: the database was set back: ./data/feed.mark remembers a later state of it"),
        "{stderr}"
    );
    assert!(stderr.contains("run `countersign accept-restore`"), "{stderr}");
}

on_both_engines! {
    async fn a_restored_backup_is_refused_until_it_is_accepted_and_then_nothing_in_it_counts(engine) {
        let database = Database::create(engine).await;
        let (one, other) = (node(&database), node(&database));
        let serving = one.serve().await;
        let mut client = serving.client().await;
        sign_up(&mut client, ADA).await;
        let (ended, lives) = (sign_in(&mut client).await, sign_in(&mut client).await);
        assert_eq!(one.run(&["backend", "create", "--name", "gateway"]).await.code, Some(0));
        let key = one.run(&["key", "list"]).await.stdout.lines().nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        database.back_up().await;

        sign_out(&mut client, &ended).await;
        assert_eq!(one.run(&["key", "revoke", &key]).await.code, Some(0));
        assert_eq!(other.serve().await.stop().await.code, Some(0), "it was here too");
        assert_eq!(serving.stop().await.code, Some(0));
        assert_eq!(one.serve().await.stop().await.code, Some(0), "nothing has happened yet");

        database.set_back().await;
        expect_refused(&one).await;
        expect_refused(&one).await;
        let listed = one.run(&["key", "list"]).await;
        assert!(listed.stdout.contains("active"), "commands still look: {listed:?}");

        let accepted = one.run(&["accept-restore"]).await;
        assert_eq!(accepted.code, Some(0), "{accepted:?}");
        assert!(accepted.stdout.contains("services are let in") && accepted.stdout.contains("\n  gateway\n"), "{accepted:?}");
        let (serving, also) = (one.serve().await, other.serve().await);
        for node in [&serving, &also] {
            for tokens in [&ended, &lives] {
                assert_eq!(who_am_i(node, tokens).await, Err("Unauthenticated TOKEN_EXPIRED".to_owned()));
                let refusal = refresh(&mut node.client().await, &tokens.refresh_token).await.unwrap_err();
                assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED");
            }
        }
        let anew = sign_in(&mut also.client().await).await;
        assert_eq!(who_am_i(&serving, &anew).await, Ok(()));
        let keys = one.run(&["key", "list"]).await.stdout;
        assert_eq!((keys.matches("revoked").count(), keys.matches("active").count()), (1, 1), "{keys}");
        for node in [serving, also] {
            assert_eq!(node.stop().await.code, Some(0));
        }
        assert_eq!(database.number("SELECT COUNT(*) FROM audit_events WHERE kind = 'restore_accepted'").await, 1);

        // The same backup once more: that it was accepted once does not count for another time.
        database.set_back().await;
        expect_refused(&one).await;
    }

    async fn a_lost_tail_is_refused_also_when_the_feed_went_on_differently(engine) {
        let database = Database::create(engine).await;
        let binary = node(&database);
        let serving = binary.serve().await;
        let mut client = serving.client().await;
        sign_up(&mut client, ADA).await;
        let (first, second) = (sign_in(&mut client).await, sign_in(&mut client).await);
        sign_out(&mut client, &first).await;
        database.back_up().await;
        sign_out(&mut client, &second).await;
        assert_eq!(serving.stop().await.code, Some(0));

        database.set_back().await;
        expect_refused(&binary).await;
        // Somebody else used it meanwhile, from a machine that remembers nothing.
        let stranger = node(&database).serve().await;
        let mut client = stranger.client().await;
        sign_out(&mut client, &second).await;
        assert_eq!(stranger.stop().await.code, Some(0));
        expect_refused(&binary).await;
    }

    async fn a_kill_alarms_nobody(engine) {
        let database = Database::create(engine).await;
        let binary = node(&database);
        for round in 0..3 {
            let serving = binary.serve().await;
            let mut client = serving.client().await;
            if round == 0 {
                sign_up(&mut client, ADA).await;
            }
            for _ in 0..3 {
                let tokens = sign_in(&mut client).await;
                sign_out(&mut client, &tokens).await;
            }
            serving.signal("KILL").await;
            serving.ended().await;
        }
        assert_eq!(binary.serve().await.stop().await.code, Some(0));
        assert!(mark(&binary).exists());
        let files = fs::read_dir(binary.folder.path().join("data")).unwrap().count();
        assert!(files <= 3, "at most the database, its mark and one draft of a killed process beside it");
    }

    async fn what_was_swept_since_is_not_missed(engine) {
        let database = Database::create(engine).await;
        let (binary, other) = (node(&database), node(&database));
        let serving = binary.serve().await;
        let mut client = serving.client().await;
        sign_up(&mut client, ADA).await;
        let tokens = sign_in(&mut client).await;
        sign_out(&mut client, &tokens).await;
        assert_eq!(serving.stop().await.code, Some(0));
        let remembered = fs::read(mark(&binary)).unwrap();

        let serving = other.serve().await;
        let mut client = serving.client().await;
        for _ in 0..20 {
            let tokens = sign_in(&mut client).await;
            sign_out(&mut client, &tokens).await;
        }
        assert_eq!(serving.stop().await.code, Some(0));
        let newest = "SELECT seq FROM feed_head h WHERE h.part = revocation_feed.part";
        database.execute(&format!("DELETE FROM revocation_feed WHERE seq < ({newest})")).await;
        assert_eq!(binary.serve().await.stop().await.code, Some(0));
        assert_ne!(fs::read(mark(&binary)).unwrap(), remembered, "and remembers the new place");
    }
}

/// The file itself, as an operator copies it.
#[tokio::test]
async fn a_copy_of_the_file_is_noticed() {
    let binary = Binary::default().patient();
    let data = binary.folder.path().join("data");
    let serving = binary.serve().await;
    let mut client = serving.client().await;
    sign_up(&mut client, ADA).await;
    let tokens = sign_in(&mut client).await;
    let backup = binary.folder.path().join("backup.db");
    let url = format!("sqlite:{}", data.join("countersign.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    connection.execute(AssertSqlSafe(format!("VACUUM INTO '{}'", backup.display()))).await.unwrap();
    connection.close().await.unwrap();
    sign_out(&mut client, &tokens).await;
    assert_eq!(serving.stop().await.code, Some(0));

    restore(&backup, &data);
    expect_refused(&binary).await;
    assert_eq!(binary.run(&["accept-restore"]).await.code, Some(0));
    let serving = binary.serve().await;
    assert_eq!(who_am_i(&serving, &tokens).await, Err("Unauthenticated TOKEN_EXPIRED".to_owned()));
    assert_eq!(serving.stop().await.code, Some(0));
}

fn restore(backup: &Path, data: &Path) {
    for leftover in ["countersign.db-wal", "countersign.db-shm"] {
        let _ = fs::remove_file(data.join(leftover));
    }
    fs::copy(backup, data.join("countersign.db")).unwrap();
}

#[tokio::test]
async fn another_database_is_not_taken_for_an_earlier_state() {
    let binary = Binary::default().patient();
    let serving = binary.serve().await;
    let mut client = serving.client().await;
    sign_up(&mut client, ADA).await;
    let tokens = sign_in(&mut client).await;
    sign_out(&mut client, &tokens).await;
    assert_eq!(serving.stop().await.code, Some(0));
    for file in ["countersign.db", "countersign.db-wal", "countersign.db-shm"] {
        let _ = fs::remove_file(binary.folder.path().join("data").join(file));
    }
    let mut serving = binary.serve().await;
    serving.line("another database than the one that was served here before").await;
    assert_eq!(serving.stop().await.code, Some(0));
    let again = binary.serve().await.stop().await;
    assert!(!again.stderr.contains("another database"), "{again:?}");
}

#[tokio::test]
async fn a_mark_that_cannot_be_kept_is_said_and_one_that_cannot_be_read_is_refused() {
    let database = Database::create(Engine::Postgres).await;
    let mut serving = node(&database).with("COUNTERSIGN_DATABASE__DATA_DIR", "/proc/nowhere").serve().await;
    serving.line("at the next start nobody will notice if it is set back").await;
    assert_eq!(serving.stop().await.code, Some(0));

    let binary = node(&database);
    assert_eq!(binary.serve().await.stop().await.code, Some(0));
    fs::write(mark(&binary), "junk").unwrap();
    let refused = binary.run(&["serve", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(
        (refused.code, refused.stderr.as_str()),
        (Some(1), "error: ./data/feed.mark is not what was written there\n")
    );
}
