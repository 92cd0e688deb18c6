//! The connections to the database.

use std::time::Duration;

use countersign::{
    domain::Email,
    store::{Settings, Store},
};
use sqlx::Executor as _;

use crate::support::{Engine, TestApp};

// One connection waits for a lock, and the other beside the pool for whoever needs one next: that is anybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_beside_the_pool_is_there_for_those_who_take_from_it() {
    let app = TestApp::spawn(Engine::Postgres).await;
    app.signed_in("ada@example.com").await;
    let patience = Duration::from_secs(30);
    let settings =
        Settings { max_connections: 2, acquire_timeout: Duration::from_secs(10), ..app.database.settings(None, false) };
    assert_eq!(settings.statement_timeout, patience);
    let store = Store::connect(&settings).await.unwrap();
    let email: Email = "ada@example.com".parse().unwrap();
    let ada = store.user_by_email(&email).await.unwrap().unwrap();

    let mut holder = app.database.postgres().await;
    holder.execute("BEGIN; SELECT id FROM users FOR UPDATE").await.unwrap();
    let hash = ada.password_hash.clone().unwrap();
    let (other, user) = (store.clone(), ada.id);
    let waiting = tokio::spawn(async move { other.upgrade_password_hash(user, &hash, &hash).await });
    while store.usage().in_use == 0 {
        tokio::task::yield_now().await;
    }
    store.user_by_email(&email).await.unwrap();
    assert_eq!(store.usage().idle, 1, "it waits beside the pool");
    store.user(ada.id).await.unwrap();
    holder.execute("COMMIT").await.unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(store.usage().waiting, 0);
    store.close().await.unwrap();
}
