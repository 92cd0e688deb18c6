//! What commands answer, on standard output.

use std::io::{self, Write};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Error, error::Context};
use crate::domain::Timestamp;

/// Writes `text`, which ends its own lines. A reader that has seen enough (`… | head`) is no failure.
pub(super) fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.context("writing to standard output"),
    }
}

/// In RFC 3339, to the second.
pub(super) fn date(moment: Timestamp) -> String {
    let date = OffsetDateTime::from_unix_timestamp(moment.unix_seconds()).ok();
    date.and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_else(|| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_as_a_date() {
        assert_eq!(date(Timestamp::from_unix_millis(1_767_225_600_999)), "2026-01-01T00:00:00Z");
        assert_eq!(date(Timestamp::from_unix_millis(i64::MAX)), Timestamp::from_unix_millis(i64::MAX).to_string());
    }
}
