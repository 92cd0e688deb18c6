//! `countersign check-config`: finds out before a restart what a restart would say.

use super::{Error, Options, output};
use crate::{
    config::{self, Config},
    store::Engine,
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Print every setting with its default and its reason instead, as a file to start from
    #[arg(long)]
    print_defaults: bool,
}

pub(super) fn run(options: &Options, args: &Args) -> Result<(), Error> {
    if args.print_defaults {
        return output::print(&config::defaults());
    }
    let config = Config::load(&options.sources(std::env::vars_os()))?;
    output::print(&summary(&config))
}

/// What matters most, without secrets.
fn summary(config: &Config) -> String {
    let database = match &config.database.engine {
        Engine::Sqlite { path } => format!("SQLite, {}", path.display()),
        Engine::Postgres { .. } => "PostgreSQL".to_owned(),
    };
    let master_key = match config.master_keys {
        Some(_) => "configured".to_owned(),
        None => format!("{}, made when it is not there", config.data_dir.join("master.key").display()),
    };
    let metrics = config.server.metrics.map_or_else(|| "off".to_owned(), |address| format!("http://{address}/metrics"));
    let traces = config.server.traces.as_ref().map_or_else(|| "off".to_owned(), |traces| traces.collector.to_string());
    format!(
        "the configuration is in order\nprofile     {}\nlisten      {}\nmetrics     {metrics}\ntraces      {traces}\nissuer      {}\ndatabase    {database}\nmaster key  {master_key}\n",
        config.profile, config.server.listen, config.policy.issuer,
    )
}
