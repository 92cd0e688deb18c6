//! `countersign key list`: which keys sign, and which still verify.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Error, Options, assembly::Assembly, output};
use crate::domain::Timestamp;

pub(super) async fn run(options: &Options) -> Result<(), Error> {
    let assembly = Assembly::start(&options.load()?).await?;
    let mut table = row("ID", "STATE", "CREATED");
    for key in assembly.app.signing_keys() {
        table += &row(&key.id.to_string(), key.state.as_str(), &date(key.created_at));
    }
    assembly.stop().await?;
    output::print(&table)
}

/// An id is `k4.pid.` and 44 characters.
fn row(id: &str, state: &str, created: &str) -> String {
    format!("{id:<51}  {state:<7}  {created}\n")
}

/// In RFC 3339, to the second.
fn date(moment: Timestamp) -> String {
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
