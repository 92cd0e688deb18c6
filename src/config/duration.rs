//! Durations as people write them: a whole number and a unit.

use std::time::Duration;

/// What most bounds are made of.
pub(super) const MINUTE: Duration = Duration::from_mins(1);

/// The units and their milliseconds, the largest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads `5m`, `30s`, `250ms`, `7d`.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit)?;
    Some(Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(*millis)?))
}

/// Writes it in the largest unit that divides it.
pub(super) fn display(duration: Duration) -> String {
    let total = duration.as_millis();
    let fitting = UNITS.iter().find(|(_, millis)| total > 0 && total.is_multiple_of(u128::from(*millis)));
    let (unit, millis) = fitting.unwrap_or(&("s", 1_000));
    format!("{}{unit}", total / u128::from(*millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, millis) in
            [("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000), ("7d", 604_800_000), ("0s", 0)]
        {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
            assert_eq!(display(Duration::from_millis(millis)), text);
        }
        for text in [
            "",
            "5",
            "s",
            "5 m",
            "5M",
            "-5m",
            "+5m",
            "1.5h",
            "5m30s",
            "5min",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
