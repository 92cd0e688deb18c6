//! Whatever is sent, its sender gets one of the few answers that say so, and nobody calls it a fault of the service.

mod frames;
mod messages;
mod own_fields;
mod strings;

use crate::support::{Engine, TestApp, grpc::sign_up};

/// Parsing comes before the database, so that one engine will do where nothing is stored.
async fn app_with_ada() -> TestApp {
    let app = TestApp::spawn(Engine::Sqlite).await;
    sign_up(&mut app.client().await, "ada@example.com").await;
    app
}
