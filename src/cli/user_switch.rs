//! `countersign user disable` and `enable`: shuts an account out, and lets it in again.

use super::{Error, Options, assembly::Assembly, error::Context, output};
use crate::domain::Email;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The account's address
    #[arg(long)]
    email: Email,
}

pub(super) async fn disable(options: &Options, args: &Args) -> Result<(), Error> {
    let assembly = Assembly::start(&options.load()?).await?;
    let is_known = assembly.app.disable_user(&args.email).await.context("disabling the account")?;
    assembly.stop().await?;
    answer(is_known, "disabled", &args.email)
}

pub(super) async fn enable(options: &Options, args: &Args) -> Result<(), Error> {
    let assembly = Assembly::start(&options.load()?).await?;
    let is_known = assembly.app.enable_user(&args.email).await.context("enabling the account")?;
    assembly.stop().await?;
    answer(is_known, "enabled", &args.email)
}

fn answer(is_known: bool, done: &str, email: &Email) -> Result<(), Error> {
    let email = email.as_str();
    if is_known {
        output::print(&format!("{done} {email}\n"))
    } else {
        Err(Error::Refused(format!("nobody has the address {email}")))
    }
}
