//! The languages that letters are written in.

use std::{fmt, str::FromStr};

/// A language that letters are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// German.
    De,
}

/// The text is not a language tag of BCP 47, or names a language that nothing is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be en or de, or a tag that begins so, like de-AT")]
pub struct InvalidLocale;

impl Locale {
    /// Every one of them.
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// The tag of the language alone.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }
}

impl FromStr for Locale {
    type Err = InvalidLocale;

    /// By the first subtag; the others say where, which makes no difference here.
    fn from_str(text: &str) -> Result<Self, InvalidLocale> {
        let mut subtags = text.split('-');
        let language = subtags.next().unwrap_or_default();
        let is_subtag = |tag: &str| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric());
        if !subtags.all(is_subtag) {
            return Err(InvalidLocale);
        }
        Self::ALL.into_iter().find(|locale| locale.as_str().eq_ignore_ascii_case(language)).ok_or(InvalidLocale)
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_by_its_language() {
        for (text, locale) in [
            ("en", Locale::En),
            ("en-GB", Locale::En),
            ("de", Locale::De),
            ("DE-at", Locale::De),
            ("de-Latn-CH-1996", Locale::De),
        ] {
            assert_eq!(text.parse(), Ok(locale), "{text}");
        }
        for locale in Locale::ALL {
            assert_eq!(locale.to_string().parse(), Ok(locale));
        }
        for text in
            ["", "-", "de-", "de--AT", "de_AT", "deutsch", "fr", " de", "de-AT ", "de-abcdefghi", "en\0", "ｄｅ"]
        {
            assert_eq!(text.parse::<Locale>(), Err(InvalidLocale), "{text:?}");
        }
    }
}
