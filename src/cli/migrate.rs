//! `countersign migrate`: brings the schema up to date, for those who do not let `serve` do it.

use super::{Error, Options, assembly, error::Context, output};

pub(super) async fn run(options: &Options) -> Result<(), Error> {
    let config = options.load()?;
    let store = assembly::open_store(&config).await?;
    let applied = store.migrate().await.context("migrating the database")?;
    store.close().await.context("closing the database")?;
    for name in &applied {
        output::print(&format!("applied {name}\n"))?;
    }
    output::print("the schema is up to date\n")
}
