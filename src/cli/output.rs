//! What commands answer, on standard output.

use std::io::{self, Write};

use super::{Error, error::Context};

/// Writes `text`, which ends its own lines. A reader that has seen enough (`… | head`) is no failure.
pub(super) fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.context("writing to standard output"),
    }
}
