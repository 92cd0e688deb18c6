//! `countersign key rotate` and `revoke`: another signing key, in good time or at once.

use super::{Error, Options, assembly::Assembly, error::Context, output};
use crate::{domain::KeyId, store::KeyRevocation};

#[derive(clap::Args)]
pub(super) struct Revoke {
    /// Its id, `k4.pid.…`, as `key list` prints it
    id: String,
}

pub(super) async fn rotate(options: &Options) -> Result<(), Error> {
    let assembly = Assembly::start(&options.load()?).await?;
    let signs_from = assembly.app.publish_next_key().await.context("publishing the next key")?;
    assembly.stop().await?;
    output::print(&format!("the next key is published, and signs from {} on\n", output::date(signs_from)))
}

pub(super) async fn revoke(options: &Options, args: &Revoke) -> Result<(), Error> {
    let assembly = Assembly::start(&options.load()?).await?;
    let key = KeyId::from_paserk(args.id.clone());
    let outcome = assembly.app.revoke_key(&key).await.context("revoking the key")?;
    assembly.stop().await?;
    match outcome {
        KeyRevocation::Done => output::print(&format!("revoked {key}\n")),
        KeyRevocation::Already => Err(Error::Refused(format!("{key} was revoked before"))),
        KeyRevocation::Unknown => Err(Error::Refused(format!("there is no signing key {key}"))),
    }
}
