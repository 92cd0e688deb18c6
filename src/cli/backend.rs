//! `countersign backend create`, `list` and `revoke`: which other services may ask about tokens.

use super::{Error, Options, assembly::Assembly, error::Context, output};
use crate::domain::{Audience, BackendName, RegisteredBackend};

#[derive(clap::Args)]
pub(super) struct Create {
    /// What to call it; never given again
    #[arg(long)]
    name: BackendName,
    /// Whose tokens it may ask about; may be given more than once [default: `tokens.audience`]
    #[arg(long = "audience", value_name = "AUDIENCE")]
    audiences: Vec<Audience>,
    /// Let it run `countersign edge` with the key: it is told by what the keys of all services are recognised
    #[arg(long)]
    edge: bool,
}

#[derive(clap::Args)]
pub(super) struct Revoke {
    /// What it is called
    #[arg(long)]
    name: BackendName,
}

pub(super) async fn create(options: &Options, args: Create) -> Result<(), Error> {
    let config = options.load()?;
    let audiences = match args.audiences {
        none if none.is_empty() => vec![config.policy.audience.parse().context("reading tokens.audience")?],
        some => some,
    };
    let assembly = Assembly::start(&config).await?;
    let created =
        assembly.app.create_backend(args.name.clone(), audiences, args.edge).await.context("letting the service in")?;
    assembly.stop().await?;
    match created {
        Some(key) => output::print(&format!("{}\n", key.expose())),
        None => Err(Error::Refused(format!("the name {} was given before", args.name))),
    }
}

pub(super) async fn list(options: &Options) -> Result<(), Error> {
    let assembly = Assembly::start(&options.load()?).await?;
    let backends = assembly.app.backends().await.context("reading the services")?;
    assembly.stop().await?;
    let mut table = row("NAME", "KIND", "STATE", "CREATED", "AUDIENCES");
    for RegisteredBackend { name, audiences, is_edge, created_at, revoked_at, .. } in backends {
        let audiences: Vec<&str> = audiences.iter().map(Audience::as_str).collect();
        let kind = if is_edge { "edge" } else { "service" };
        let state = if revoked_at.is_some() { "revoked" } else { "active" };
        table += &row(name.as_str(), kind, state, &output::date(created_at), &audiences.join(" "));
    }
    output::print(&table)
}

pub(super) async fn revoke(options: &Options, args: &Revoke) -> Result<(), Error> {
    let assembly = Assembly::start(&options.load()?).await?;
    let is_revoked = assembly.app.revoke_backend(&args.name).await.context("shutting the service out")?;
    assembly.stop().await?;
    if is_revoked {
        output::print(&format!("revoked {}\n", args.name))
    } else {
        Err(Error::Refused(format!("no service that is let in is called {}", args.name)))
    }
}

fn row(name: &str, kind: &str, state: &str, created: &str, audiences: &str) -> String {
    format!("{name:<24}  {kind:<7}  {state:<7}  {created:<20}  {audiences}\n")
}
