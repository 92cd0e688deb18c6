//! `countersign mail list` and `retry`: what waits in the outbox, and another try for what was given up.

use super::{Error, Options, assembly, error::Context, output};
use crate::{
    clock::{Clock as _, SystemClock},
    domain::LetterId,
};

#[derive(clap::Args)]
pub(super) struct RetryArgs {
    /// The letter's id, as `mail list` shows it
    #[arg(value_name = "ID", required_unless_present = "all")]
    letter: Option<LetterId>,
    /// Every letter that was given up
    #[arg(long, conflicts_with = "letter")]
    all: bool,
}

pub(super) async fn list(options: &Options) -> Result<(), Error> {
    let store = assembly::open_store(&options.load()?).await?;
    let letters = store.letters().await.context("reading the outbox")?;
    store.close().await.context("closing the database")?;
    let mut table = row(["ID", "WRITTEN", "TRIES", "STATE", "LAST FAILURE"]);
    for letter in letters {
        let state = if letter.is_dead { "given up" } else { "waiting" };
        let (id, tries) = (letter.id.to_string(), letter.attempts.to_string());
        table += &row([&id, &output::date(letter.at), &tries, state, letter.failure.as_deref().unwrap_or("-")]);
    }
    output::print(&table)
}

pub(super) async fn retry(options: &Options, args: &RetryArgs) -> Result<(), Error> {
    let store = assembly::open_store(&options.load()?).await?;
    let revived = store.revive_letters(args.letter, SystemClock.now()).await.context("changing the outbox")?;
    store.close().await.context("closing the database")?;
    match (revived, args.letter) {
        (0, Some(letter)) => Err(Error::Refused(format!("no letter {letter} was given up"))),
        (count, _) => output::print(&format!("to be tried again: {count}\n")),
    }
}

fn row([id, written, tries, state, failure]: [&str; 5]) -> String {
    format!("{id:<36}  {written:<20}  {tries:<5}  {state:<8}  {failure}\n")
}
