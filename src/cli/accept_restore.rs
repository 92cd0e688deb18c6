//! `countersign accept-restore`: what an operator says after a database was set back.

use super::{Error, Options, assembly::Assembly, error::Context, output};

pub(super) async fn run(options: &Options) -> Result<(), Error> {
    let assembly = Assembly::start(&options.load()?).await?;
    assembly.app.accept_restore().await.context("ending what the database has")?;
    let services = assembly.app.backends().await.context("reading the services")?;
    assembly.stop().await?;
    output::print("every session has ended, every code is void, every signing key is revoked; another key signs\n")?;
    let live: Vec<_> = services.iter().filter(|service| service.revoked_at.is_none()).collect();
    if !live.is_empty() {
        output::print("these services are let in; shut those out again that had been: countersign backend revoke\n")?;
    }
    for service in live {
        output::print(&format!("  {}\n", service.name.as_str()))?;
    }
    output::print("accounts that were disabled since are enabled, and passwords are what they were\n")
}
