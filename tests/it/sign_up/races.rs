//! Two sign-ups with one address at once make one account, and both are told the same.

use std::{collections::BTreeSet, sync::Arc};

use countersign::proto::{LoginRequest, SignUpRequest, login_response::Outcome};
use tokio::{sync::Barrier, task::JoinSet};

use crate::support::{
    Engine, PASSWORD, TestApp,
    grpc::{Client, login_request, sign_up_request, summary},
    on_both_engines,
};

const RACERS: usize = 100;
const ROUNDS: usize = 200;

/// What a racer is told, all of it but what differs from one call to the next.
type Answer = Result<Vec<String>, String>;

/// Everybody signs up with one address at once, each with a password and a name of their own.
async fn race(clients: &[Client], address: &str) -> Vec<Answer> {
    let barrier = Arc::new(Barrier::new(RACERS));
    let mut racers = JoinSet::new();
    for (number, client) in clients.iter().cycle().take(RACERS).enumerate() {
        let (mut client, barrier) = (client.clone(), Arc::clone(&barrier));
        let request = SignUpRequest {
            password: password(number),
            display_name: format!("Racer {number}"),
            ..sign_up_request(address)
        };
        racers.spawn(async move {
            barrier.wait().await;
            let response = client.sign_up(request).await.map_err(|status| summary(&status))?;
            let metadata = response.metadata().clone().into_headers();
            let told = metadata.iter().filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()));
            let mut told: Vec<_> = told.map(|(name, value)| format!("{name}: {value:?}")).collect();
            told.sort();
            Ok(told)
        });
    }
    racers.join_all().await
}

fn password(number: usize) -> String {
    format!("{PASSWORD} {number}")
}

/// Two hundred races; each makes one account, and all who ran are told the same.
async fn run_rounds(app: &TestApp, clients: &[Client]) {
    for round in 1..=ROUNDS {
        let answers: BTreeSet<_> = race(clients, &format!("ada{round}@example.com")).await.into_iter().collect();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        let accounts = app.database.number("SELECT COUNT(*) FROM users").await;
        assert_eq!(accounts, i64::try_from(round).unwrap());
    }
    let events = async |kind: &str| {
        app.database.number(&format!("SELECT COUNT(*) FROM audit_events WHERE kind = '{kind}'")).await
    };
    assert_eq!(events("signed_up").await, i64::try_from(ROUNDS).unwrap());
    assert_eq!(events("sign_up_repeated").await, i64::try_from(ROUNDS * (RACERS - 1)).unwrap());
}

/// The account is one racer's altogether.
async fn expect_one_owner(app: &TestApp) {
    let mut client = app.client().await;
    let mut owners = Vec::new();
    for number in 0..RACERS {
        let request = LoginRequest { password: password(number), ..login_request("ada1@example.com") };
        if let Ok(response) = client.login(request).await {
            let Some(Outcome::SignedIn(signed_in)) = response.into_inner().outcome else { panic!("signed in") };
            owners.push((number, signed_in.user.unwrap().display_name));
        }
    }
    let [(number, name)] = owners.as_slice() else { panic!("{owners:?}") };
    assert_eq!(*name, format!("Racer {number}"));
}

on_both_engines! {
    async fn a_hundred_sign_ups_with_one_address_make_one_account(engine) {
        let app = TestApp::spawn(engine).await;
        run_rounds(&app, &[app.client().await, app.client().await]).await;
        expect_one_owner(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_sign_ups_on_two_nodes_make_one_account() {
    let one = TestApp::spawn(Engine::Postgres).await;
    let other = one.another_node().await;
    run_rounds(&one, &[one.client().await, other.client().await]).await;
    expect_one_owner(&other).await;
}
