//! What a person may do, as a name that other services understand.

use std::{fmt, str::FromStr};

/// 1 to 32 of `a-z 0-9 _ - .`, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role(String);

/// The text is not a role's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_BYTES} of a-z, 0-9, '_', '-' and '.', beginning with a letter")]
pub struct InvalidRole;

const MAX_BYTES: usize = 32;

impl Role {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b);
        let fits = text.len() <= MAX_BYTES && text.starts_with(|c: char| c.is_ascii_lowercase());
        if fits && text.bytes().all(letters) { Ok(Self(text.to_owned())) } else { Err(InvalidRole) }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_a_short_plain_name() {
        for name in ["admin", "billing.read", "a", "x-1_2"] {
            assert_eq!(name.parse::<Role>().unwrap().as_str(), name);
        }
        for name in ["", "Admin", "1st", "-a", "a b", "a,b", "ä", &"a".repeat(33)] {
            assert_eq!(name.parse::<Role>(), Err(InvalidRole), "{name:?}");
        }
    }
}
