//! What apps keep of a person for them: a few short texts by name, which the service itself never looks at.

use std::collections::BTreeMap;

use super::DisplayName;

/// At most 16 values of at most 100 code points, by names of 1 to 32 of `a-z 0-9 _ - .` that begin with a letter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata(BTreeMap<String, String>);

/// Why it is not [`Metadata`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMetadata {
    /// More than fits.
    #[error("must have at most {MOST} entries")]
    TooMany,
    /// A name is not one.
    #[error("must have keys of 1 to {KEY_BYTES} of a-z, 0-9, '_', '-' and '.', beginning with a letter")]
    Key,
    /// A value is not plain text, or too long.
    #[error("must have values of at most 100 code points of plain text on one line")]
    Value,
}

const MOST: usize = 16;
const KEY_BYTES: usize = 32;

impl Metadata {
    /// Reads the entries, of which none may be wrong.
    ///
    /// # Errors
    /// With what is wrong with the first that is.
    pub fn parse(entries: impl IntoIterator<Item = (String, String)>) -> Result<Self, InvalidMetadata> {
        let mut kept = BTreeMap::new();
        for (key, value) in entries {
            if !is_key(&key) {
                return Err(InvalidMetadata::Key);
            }
            // The rules for what a person is called are those for any line that is shown.
            let value: DisplayName = value.parse().map_err(|_| InvalidMetadata::Value)?;
            kept.insert(key, value.as_str().to_owned());
            if kept.len() > MOST {
                return Err(InvalidMetadata::TooMany);
            }
        }
        Ok(Self(kept))
    }

    /// The entries, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

fn is_key(key: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.".contains(&byte);
    (1..=KEY_BYTES).contains(&key.len()) && key.as_bytes()[0].is_ascii_lowercase() && key.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(entries: &[(&str, &str)]) -> Result<Metadata, InvalidMetadata> {
        Metadata::parse(entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn a_few_short_texts_are_kept() {
        let kept = parse(&[("theme", "dark"), ("app.team-1_x", "Zoe\u{308}"), ("empty", "")]).unwrap();
        let entries: Vec<_> = kept.iter().collect();
        assert_eq!(entries, [("app.team-1_x", "Zoë"), ("empty", ""), ("theme", "dark")]);
        for key in ["", "Theme", "1st", ".x", "a b", "ä", &"a".repeat(33), "a\0"] {
            assert_eq!(parse(&[(key, "x")]), Err(InvalidMetadata::Key), "{key:?}");
        }
        for value in ["a\nb", "a\0", "\u{202e}x", &"x".repeat(101)] {
            assert_eq!(parse(&[("key", value)]), Err(InvalidMetadata::Value), "{value:?}");
        }
    }

    #[test]
    fn more_than_fits_is_refused() {
        let entries = |count: usize| (0..count).map(|number| (format!("key{number}"), String::new()));
        assert!(Metadata::parse(entries(16)).is_ok());
        assert_eq!(Metadata::parse(entries(17)), Err(InvalidMetadata::TooMany));
    }
}
