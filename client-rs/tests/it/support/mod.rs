//! What the tests stand on: the real binary, keys of their own, a clock that they turn.

mod clock;
pub mod forge;
pub mod http;
pub mod key_server;
mod service;

use std::{future::Future, time::Duration};

pub use clock::FakeClock;
pub use forge::Forge;
pub use key_server::KeyServer;
pub use service::{Service, built, log_out, who_am_i};

pub const ISSUER: &str = "https://auth.example.com";

/// What comes of `future`, which should not take long: a net for what hangs, and no test waits for it to pass.
pub async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(2), future).await.expect("no end in sight")
}
