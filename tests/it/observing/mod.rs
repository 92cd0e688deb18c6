//! What whoever watches over the service is told: metrics on a listener of their own, and traces.

mod deploy;
mod exposure;
mod moves;
mod series;
mod traces;

use crate::support::{Engine, Setup, TestApp, metrics::Scrape};

/// A service that is watched.
async fn watched(engine: Engine, change: impl FnOnce(&mut Setup)) -> TestApp {
    Box::pin(TestApp::with(engine, |setup| {
        setup.server.metrics = Some("127.0.0.1:0".parse().unwrap());
        change(setup);
    }))
    .await
}

async fn scrape(app: &TestApp) -> Scrape {
    // On the heap: tests carry many along.
    Box::pin(Scrape::of(app.metrics.unwrap())).await
}
