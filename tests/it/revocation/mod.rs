//! What is revoked on one node is refused on all of them, whatever becomes of the way between them.

mod black_hole;
mod campaign;
mod frozen;
mod propagation;
mod races;
mod rewound;
mod staleness;
mod stopped;

use countersign::{
    app::{App, Error, Login, Rejection, SignedIn},
    domain::{AccessToken, Device, Password},
};

use crate::support::{PASSWORD, TestApp, grpc::sign_up};

/// What becomes of a token on a node, in process.
async fn verdict(node: &App, token: &AccessToken) -> &'static str {
    match node.verifier().authenticate(Some(token)).await {
        Ok(_) => "passes",
        Err(Error::Rejected(Rejection::SessionEnded)) => "session ended",
        Err(Error::Rejected(_)) => "refused",
        Err(Error::Failed(_)) => "unavailable",
    }
}

/// A session more of somebody who has an account.
async fn log_in(node: &App, email: &str) -> SignedIn {
    let (email, password) = (email.parse().unwrap(), Password::parse(PASSWORD).unwrap());
    node.login(Login { email, password, device: Device::default(), known: None }).await.unwrap()
}

async fn log_out(node: &App, token: &AccessToken) {
    let leaver = node.authenticate_to_leave(Some(token)).unwrap();
    node.log_out(&leaver, Device::default()).await.unwrap();
}

async fn log_out_everywhere(node: &App, token: &AccessToken) {
    let caller = node.verifier().authenticate(Some(token)).await.unwrap();
    node.log_out_everywhere(&caller, Device::default()).await.unwrap();
}

/// Somebody new, and so many sessions of theirs.
async fn sessions(app: &TestApp, email: &str, count: usize) -> Vec<SignedIn> {
    sign_up(&mut app.client().await, email).await;
    let mut sessions = Vec::new();
    for _ in 0..count {
        sessions.push(log_in(&app.app, email).await);
    }
    sessions
}

/// A node that does nothing by itself, so that a test says when it looks.
async fn quiet_node(app: &TestApp) -> App {
    app.use_cases(&app.setup.master_keys).await.unwrap()
}
