//! Bringing the schema up to date: once, however many nodes start together, and wholly or not at all.

use std::os::unix::process::ExitStatusExt as _;

use sqlx::{AssertSqlSafe, Executor as _, Row as _};
use tokio::process::Command;

use crate::support::{
    Database, Engine, on_both_engines,
    process::{Binary, in_time},
};

const STEPS: i64 = 18;

fn binary(database: &Database) -> Binary {
    Binary::default().patient().with("COUNTERSIGN_DATABASE__URL", database.url(None))
}

async fn applied(database: &Database) -> i64 {
    database.number("SELECT COUNT(*) FROM seaql_migrations").await
}

on_both_engines! {
    async fn nodes_that_start_together_migrate_once(engine) {
        let database = Database::create(engine).await;
        let node = binary(&database);
        let migrate = || node.run(&["migrate"]);
        let (first, second, third, fourth) = tokio::join!(migrate(), migrate(), migrate(), migrate());
        let nodes = [first, second, third, fourth];
        for node in &nodes {
            assert_eq!(node.code, Some(0), "{node:?}");
        }
        let workers = nodes.iter().filter(|node| node.stdout.contains("m0001_users")).count();
        assert_eq!(workers, 1, "{nodes:?}");
        assert_eq!(applied(&database).await, STEPS);
    }

    async fn an_old_schema_is_refused_where_nobody_may_change_it(engine) {
        let database = Database::create(engine).await;
        let node = binary(&database).with("COUNTERSIGN_DATABASE__MIGRATE", "false");
        let refused = node.run(&["serve", "--listen", "127.0.0.1:0"]).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains("countersign migrate") && refused.stderr.contains("m0001_users"), "{refused:?}");
        assert_eq!(node.run(&["migrate"]).await.code, Some(0));
        node.serve().await;
    }
}

/// All four wait in one line, which is what starting together comes to on a slow day.
#[tokio::test]
async fn nodes_queue_for_the_lock() {
    let database = Database::create(Engine::Postgres).await;
    let node = binary(&database);
    let mut holder = database.postgres().await;
    holder.execute("SELECT pg_advisory_lock(1668639091, hashtext(current_schema()))").await.unwrap();
    let migrate = || node.run(&["migrate"]);
    let release = async {
        let waiting = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                       AND objid = hashtext(current_schema())::bigint & 4294967295";
        while holder.fetch_one(waiting).await.unwrap().get::<i64, _>(0) < 4 {}
        holder.execute("SELECT pg_advisory_unlock_all()").await.unwrap();
    };
    let (first, second, third, fourth, ()) = tokio::join!(migrate(), migrate(), migrate(), migrate(), in_time(release));
    for node in [first, second, third, fourth] {
        assert_eq!(node.code, Some(0), "{node:?}");
    }
    assert_eq!(applied(&database).await, STEPS);
}

/// Killed when some tables are made and others are not: whoever comes next finds none of them.
#[tokio::test]
async fn a_migration_that_is_killed_half_way_leaves_nothing_in_postgres() {
    let database = Database::create(Engine::Postgres).await;
    let node = binary(&database);
    for table in ["users", "sessions", "signing_keys", "audit_events", "outbox"] {
        // The same name in a transaction that is open: the migration gets up to there and waits.
        let mut rival = database.postgres().await;
        let claim = format!("BEGIN; CREATE TABLE {table} (id INT)");
        rival.execute(AssertSqlSafe(claim)).await.unwrap();
        let mut migrating = node.start(&["migrate"]);
        let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid' \
                       AND transactionid = pg_current_xact_id()::xid";
        let waits = async { while rival.fetch_one(waiting).await.unwrap().get::<i64, _>(0) == 0 {} };
        in_time(waits).await;
        migrating.kill().await.unwrap();
        rival.execute("ROLLBACK").await.unwrap();
    }
    let tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()";
    assert_eq!(database.number(tables).await, 0);
    let again = node.run(&["migrate"]).await;
    assert_eq!((again.code, applied(&database).await), (Some(0), STEPS), "{again:?}");
}

/// The system ends the process at its first write beyond so many KiB of a file, which is in the middle of a commit.
#[tokio::test]
async fn a_migration_that_is_killed_half_way_leaves_nothing_in_sqlite() {
    const SIGXFSZ: i32 = 25;
    let database = Database::create(Engine::Sqlite).await;
    let file = database.url(None).strip_prefix("sqlite:").unwrap().to_owned();
    let mut kills = 0;
    for limit in (4..).step_by(4) {
        let limited = Command::new("bash")
            .args(["-c", &format!("ulimit -c 0 -f {limit}; exec \"$0\" migrate"), env!("CARGO_BIN_EXE_countersign")])
            .env("COUNTERSIGN_DATABASE__URL", database.url(None))
            .current_dir(std::path::Path::new(&file).parent().unwrap())
            .output();
        let output = in_time(limited).await.unwrap();
        if output.status.success() {
            break;
        }
        assert_eq!(output.status.signal(), Some(SIGXFSZ), "{output:?}");
        kills += 1;
        assert_eq!(database.number("SELECT COUNT(*) FROM sqlite_master").await, 0, "killed at {limit} KiB");
        assert_eq!(database.text("PRAGMA integrity_check").await.as_deref(), Some("ok"));
    }
    assert!(kills > 10, "{kills}");
    assert_eq!(applied(&database).await, STEPS);
}

/// What may be there once only, by table: columns, and whether that holds for some rows alone.
#[tokio::test]
async fn both_engines_hold_the_same_to_be_unique() {
    let (sqlite, postgres) = (Database::create(Engine::Sqlite).await, Database::create(Engine::Postgres).await);
    for database in [&sqlite, &postgres] {
        assert_eq!(binary(database).run(&["migrate"]).await.code, Some(0));
    }
    let of_sqlite = "SELECT group_concat(line, ' ') FROM (
        SELECT t.name || '(' || group_concat(c.name) || ')' || CASE WHEN i.partial THEN '?' ELSE '' END AS line
        FROM sqlite_master t JOIN pragma_index_list(t.name) i JOIN pragma_index_info(i.name) c
        WHERE t.type = 'table' AND i.\"unique\" GROUP BY t.name, i.name ORDER BY 1)";
    let of_postgres = "SELECT string_agg(line, ' ' ORDER BY line COLLATE \"C\") FROM (
        SELECT t.relname || '(' || string_agg(c.attname, ',' ORDER BY array_position(i.indkey::int2[], c.attnum)) || ')' || CASE WHEN i.indpred IS NULL THEN '' ELSE '?' END
            AS line
        FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
        JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum = ANY (i.indkey)
        WHERE i.indisunique AND t.relnamespace = current_schema()::regnamespace
        GROUP BY t.relname, i.indexrelid, i.indpred) lines";
    let expected = "audit_events(id) backends(id) backends(name) codes(token_digest) codes(user_id,purpose) \
                    devices(user_id,device_id) feed_head(part) letter_limits(user_id,kind) outbox(id) revocation_feed(part,seq) \
                    seaql_migrations(version) sessions(id) signing_keys(id) signing_keys(state)? signing_keys(state)? \
                    user_metadata(user_id,key) users(email_key) users(id)";
    assert_eq!(sqlite.text(of_sqlite).await.as_deref(), Some(expected));
    assert_eq!(postgres.text(of_postgres).await.as_deref(), Some(expected));
}

#[tokio::test]
async fn both_engines_have_one_schema() {
    let (sqlite, postgres) = (Database::create(Engine::Sqlite).await, Database::create(Engine::Postgres).await);
    for database in [&sqlite, &postgres] {
        assert_eq!(binary(database).run(&["migrate"]).await.code, Some(0));
    }
    let of_sqlite = "SELECT group_concat(line, ', ') FROM (
        SELECT t.name || '.' || c.name || CASE WHEN c.\"notnull\" OR c.pk THEN '' ELSE '?' END AS line
        FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'seaql%'
        UNION SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite%' ORDER BY 1)";
    let of_postgres = "SELECT string_agg(line, ', ' ORDER BY line) FROM (
        SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN '' ELSE '?' END AS line
        FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE 'seaql%'
        UNION SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND indexname NOT LIKE '%key'
        AND indexname NOT LIKE '%pkey') lines";
    let (of_sqlite, of_postgres) = (sqlite.text(of_sqlite).await.unwrap(), postgres.text(of_postgres).await.unwrap());
    assert_eq!(of_sqlite, of_postgres);
    for part in
        ["users.email_key,", "users.password_hash?", "users.locale,", "outbox.user_id?", "signing_keys_one_active"]
    {
        assert!(of_sqlite.contains(part), "{part} in {of_sqlite}");
    }
}
