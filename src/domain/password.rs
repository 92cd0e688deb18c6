//! Passwords: what is typed, what may be chosen, what is kept.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};
use zeroize::Zeroizing;

/// What a person typed to sign in, in NFC (NIST SP 800-63B-4 §3.1.1.2), not trimmed, not folded.
///
/// Normalisation is the one change between what was received and what is hashed; without it `é` typed on two keyboards
/// would be two passwords.
#[derive(Debug, Clone)]
pub struct Password(SecretString);

/// A password that meets the policy: the only thing that is ever hashed.
#[derive(Debug, Clone)]
pub struct NewPassword(Password);

/// What a password must be to be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The fewest code points: 15 where a password is the only factor (NIST SP 800-63B-4 §3.1.1.2), never below 8.
    pub min_code_points: usize,
}

/// Why a string cannot be anybody's password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Nothing was given.
    #[error("is required")]
    Empty,
    /// Hashing and normalising are bounded: a megabyte of password is an attack, not a secret.
    #[error("must be at most {MAX_BYTES} bytes")]
    TooLong,
}

/// Why a password cannot be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer code points than the policy asks for.
    #[error("must have at least {min} characters")]
    TooShort {
        /// The fewest code points.
        min: usize,
    },
    /// More than is hashed.
    #[error("must have at most {MAX_CODE_POINTS} characters and {MAX_BYTES} bytes")]
    TooLong,
    /// Among the passwords that are tried first (NIST SP 800-63B-4 §3.1.1.2, OWASP ASVS 6.2.4).
    #[error("is one of the most common passwords; choose another")]
    Common,
}

const MAX_BYTES: usize = 1_024;
const MAX_CODE_POINTS: usize = 256;
/// NFC makes three bytes of UTF-8 of one at most (Unicode's FAQ on normalization, "maximum expansion factor").
const MOST_EXPANSION: usize = 3;

/// Lower-cased, sorted bytewise, one a line; where it comes from stands in `common_passwords.md`.
const COMMON: &str = include_str!("common_passwords.txt");

impl Password {
    /// Reads what was typed.
    ///
    /// # Errors
    /// When there is nothing, or too much to look at.
    pub fn parse(text: &str) -> Result<Self, InvalidPassword> {
        if text.is_empty() {
            return Err(InvalidPassword::Empty);
        }
        // Before normalising, which multiplies what it is given (U+FDFA by eleven under the other forms), and after.
        if text.len() > MAX_BYTES {
            return Err(InvalidPassword::TooLong);
        }
        let normal = normalized(text);
        let fits = normal.expose_secret().len() <= MAX_BYTES;
        if fits { Ok(Self(normal)) } else { Err(InvalidPassword::TooLong) }
    }

    /// The bytes that are hashed.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl NewPassword {
    /// Reads a password that somebody wants to have from now on.
    ///
    /// # Errors
    /// When it does not meet `policy`.
    pub fn parse(text: &str, policy: PasswordPolicy) -> Result<Self, WeakPassword> {
        let too_short = WeakPassword::TooShort { min: policy.min_code_points };
        let password = Password::parse(text).map_err(|e| match e {
            InvalidPassword::Empty => too_short,
            InvalidPassword::TooLong => WeakPassword::TooLong,
        })?;
        let normal = password.0.expose_secret();
        let length = normal.chars().count();
        if length < policy.min_code_points {
            return Err(too_short);
        }
        if length > MAX_CODE_POINTS {
            return Err(WeakPassword::TooLong);
        }
        if is_common(&SecretString::from(normal.to_lowercase())) {
            return Err(WeakPassword::Common);
        }
        Ok(Self(password))
    }

    /// The password, as it will be typed.
    #[must_use]
    pub fn as_password(&self) -> &Password {
        &self.0
    }
}

/// In NFC. Nothing grows meanwhile: what a text is moved away from is not wiped.
fn normalized(text: &str) -> SecretString {
    if is_nfc(text) {
        return SecretString::from(text);
    }
    let mut normal = Zeroizing::new(String::with_capacity(MOST_EXPANSION * text.len()));
    normal.extend(text.nfc());
    SecretString::from(normal.as_str())
}

/// Whether the list has this line: a binary search over the text itself, so that the list costs no memory and no start-up.
fn is_common(lower_cased: &SecretString) -> bool {
    let wanted = lower_cased.expose_secret().as_bytes();
    let mut rest = COMMON.as_bytes();
    while !rest.is_empty() {
        let middle = rest.len() / 2;
        let start = rest[..middle].iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
        let end = rest[middle..].iter().position(|&b| b == b'\n').map_or(rest.len(), |i| middle + i);
        match wanted.cmp(&rest[start..end]) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => rest = &rest[..start],
            std::cmp::Ordering::Greater => rest = rest.get(end + 1..).unwrap_or_default(),
        }
    }
    false
}

/// What is kept of a password: a PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// From a PHC string; it is read only when a password is checked against it.
    #[must_use]
    pub fn from_phc(text: String) -> Self {
        Self(text)
    }

    /// The PHC string.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: PasswordPolicy = PasswordPolicy { min_code_points: 15 };

    fn refusal(text: &str) -> Option<WeakPassword> {
        NewPassword::parse(text, POLICY).err()
    }

    #[test]
    fn length_is_counted_in_code_points_after_normalising() {
        assert_eq!(refusal(""), Some(WeakPassword::TooShort { min: 15 }));
        assert_eq!(refusal(&"é".repeat(14)), Some(WeakPassword::TooShort { min: 15 }));
        assert_eq!(refusal(&"e\u{301}".repeat(14)), Some(WeakPassword::TooShort { min: 15 }));
        assert_eq!(refusal(&"e\u{301}".repeat(15)), None);
        assert_eq!(refusal(&"🦀".repeat(256)), None, "1,024 bytes");
        assert_eq!(refusal(&"x".repeat(256)), None);
        assert_eq!(refusal(&"x".repeat(257)), Some(WeakPassword::TooLong));
        assert_eq!(refusal(&"x".repeat(1_025)), Some(WeakPassword::TooLong));
    }

    #[test]
    fn attempts_are_bounded_before_and_after_normalising() {
        assert_eq!(Password::parse("").err(), Some(InvalidPassword::Empty));
        assert!(Password::parse(&"x".repeat(1_024)).is_ok());
        assert_eq!(Password::parse(&"x".repeat(1_025)).err(), Some(InvalidPassword::TooLong));
        assert_eq!(
            Password::parse(&"\u{1d160}".repeat(256)).err(),
            Some(InvalidPassword::TooLong),
            "1,024 bytes become 3,072"
        );
    }

    #[test]
    fn one_password_typed_on_two_keyboards_is_one_password() {
        let composed = Password::parse("caf\u{e9} au lait ").unwrap();
        let decomposed = Password::parse("cafe\u{301} au lait ").unwrap();
        assert_eq!(composed.expose(), decomposed.expose());
        assert_ne!(composed.expose(), Password::parse("caf\u{e9} au lait").unwrap().expose(), "nothing is trimmed");
        assert_ne!(composed.expose(), Password::parse("Caf\u{e9} au lait ").unwrap().expose(), "nothing is folded");
    }

    #[test]
    fn no_character_grows_by_more_than_is_set_aside() {
        let grown = |c: &char| c.nfc().map(char::len_utf8).sum::<usize>();
        let beyond: Vec<char> = ('\0'..=char::MAX).filter(|c| grown(c) > MOST_EXPANSION * c.len_utf8()).collect();
        assert!(beyond.is_empty(), "{beyond:?}");
    }

    #[test]
    fn the_list_is_sorted_so_that_every_line_is_found() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!(lines.len() >= 100_000, "{}", lines.len());
        assert!(lines.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()));
        for line in lines.iter().step_by(97).chain(lines.first()).chain(lines.last()) {
            assert!(is_common(&SecretString::from(*line)), "{line}");
        }
        assert!(!is_common(&SecretString::from("correct horse battery staple tribune")));
        assert!(!is_common(&SecretString::from("")));
    }

    #[test]
    fn common_passwords_are_refused_in_any_case() {
        let long = COMMON.lines().find(|line| line.chars().count() >= 15 && line.is_ascii()).unwrap();
        assert_eq!(refusal(long), Some(WeakPassword::Common));
        assert_eq!(refusal(&long.to_uppercase()), Some(WeakPassword::Common));
    }

    #[test]
    fn secrets_are_not_printed() {
        let typed = NewPassword::parse("correct horse battery staple tribune", POLICY).unwrap();
        let kept = PasswordHash::from_phc("$argon2id$secret".to_owned());
        let printed = format!("{typed:?} {kept:?}");
        assert!(!printed.contains("horse") && !printed.contains("argon2id"), "{printed}");
    }
}
