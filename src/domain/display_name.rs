//! What a person wants to be called.

use std::{fmt, str::FromStr};

use unicode_normalization::UnicodeNormalization;

/// At most 100 code points in NFC, on one line, written in one direction; empty when the person has not said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DisplayName(String);

/// Why a string is not a [`DisplayName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDisplayName {
    /// More than fits.
    #[error("must be at most {MAX_CODE_POINTS} code points")]
    TooLong,
    /// Something that is not text: it could forge a log line, or turn around what stands beside it.
    #[error("must not contain control characters, line breaks or changes of writing direction")]
    NotPlainText,
}

const MAX_CODE_POINTS: usize = 100;

impl DisplayName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DisplayName {
    type Err = InvalidDisplayName;

    fn from_str(text: &str) -> Result<Self, InvalidDisplayName> {
        // Checked before normalising, which can multiply the length.
        if text.chars().count() > MAX_CODE_POINTS {
            return Err(InvalidDisplayName::TooLong);
        }
        if text.chars().any(is_not_plain) {
            return Err(InvalidDisplayName::NotPlainText);
        }
        let name: String = text.nfc().collect();
        if name.chars().count() > MAX_CODE_POINTS { Err(InvalidDisplayName::TooLong) } else { Ok(Self(name)) }
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_not_plain(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_scripts_are_kept() {
        for name in ["", "Ada Lovelace", "李雷", "ندى", "Zoë", "👩‍🚀 Ada", "<b>Ada</b>"] {
            assert_eq!(name.parse::<DisplayName>().unwrap().as_str(), name);
        }
        assert_eq!("Zoe\u{308}".parse::<DisplayName>().unwrap().as_str(), "Zoë");
    }

    #[test]
    fn what_is_not_plain_text_is_refused() {
        for name in
            ["Ada\0", "Ada\r\nroot", "\u{1b}[31mAda", "Ada\u{202e}moc.elpmaxe", "a\u{2066}b", "a\u{2028}b", "a\u{85}b"]
        {
            assert_eq!(name.parse::<DisplayName>(), Err(InvalidDisplayName::NotPlainText), "{name:?}");
        }
    }

    #[test]
    fn the_limit_counts_code_points() {
        assert!("ä".repeat(100).parse::<DisplayName>().is_ok());
        assert_eq!("ä".repeat(101).parse::<DisplayName>(), Err(InvalidDisplayName::TooLong));
        assert_eq!(
            "\u{1d160}".repeat(100).parse::<DisplayName>(),
            Err(InvalidDisplayName::TooLong),
            "one becomes three in NFC"
        );
    }
}
