//! `countersign edge`: verifies tokens near to where they are used, as another countersign tells it to.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Error, Options, error::Context, serve::announce, signals};
use crate::{
    app::Edge,
    clock::{Clock as _, SystemClock},
    config::EdgeConfig,
    entropy::OsEntropy,
    server::Server,
    telemetry,
    upstream::Upstream,
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Follow the countersign that answers at this URL, or another edge of it
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
}

pub(super) async fn run(options: &Options, args: Args) -> Result<(), Error> {
    let mut sources = options.sources(std::env::vars_os());
    sources.flags.upstream = args.upstream;
    let config = EdgeConfig::load(&sources)?;
    telemetry::init(&config.log).context("starting")?;
    let stop = CancellationToken::new();
    // Before anybody is told that it serves: who then tells it to stop is heard.
    signals::cancel_on_first(&stop).context("listening for signals")?;

    let upstream = Upstream::new(&config.upstream, || SystemClock.ticks()).context("setting up the upstream")?;
    let edge = Edge::new(upstream, config.staleness, Arc::new(SystemClock), Arc::new(OsEntropy), Arc::default());
    let server = Server::bind(config.server).await.context("listening")?;
    announce(&server).context("writing to standard error")?;
    // On the heap: what all of it carries along is large.
    Box::pin(server.run_edge(edge, stop)).await.context("serving")
}
