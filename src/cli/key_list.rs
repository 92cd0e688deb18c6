//! `countersign key list`: which keys sign, and which still verify.

use super::{Error, Options, assembly::Assembly, output};

pub(super) async fn run(options: &Options) -> Result<(), Error> {
    let assembly = Assembly::start(&options.load()?).await?;
    let mut table = row("ID", "STATE", "SINCE", "CREATED");
    for key in assembly.app.signing_keys().iter() {
        table += &row(key.id.as_str(), key.state.as_str(), &output::date(key.since), &output::date(key.created_at));
    }
    assembly.stop().await?;
    output::print(&table)
}

/// An id is `k4.pid.` and 44 characters.
fn row(id: &str, state: &str, since: &str, created: &str) -> String {
    format!("{id:<51}  {state:<7}  {since:<20}  {created}\n")
}
