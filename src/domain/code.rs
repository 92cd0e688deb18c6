//! One-time codes: whoever knows one reads the mailbox that it was sent to.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use super::{Email, LetterLimit, Timestamp, UserId};

/// What a code is good for. A code for one thing is never good for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodePurpose {
    /// Showing that the account's address is the person's.
    VerifyEmail,
    /// Choosing a new password without the old one.
    ResetPassword,
    /// Showing that the address which the account is to have is the person's.
    ChangeEmail,
}

/// A code as it stands in a link: `cs_ot_` and 32 random bytes in base64url.
#[derive(Debug, Clone)]
pub struct CodeToken(SecretString);

/// A code as it is typed: eight digits, which can be guessed unless tries are counted.
#[derive(Debug, Clone)]
pub struct CodeDigits(SecretString);

/// What is kept of either.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CodeDigest([u8; 32]);

/// A code as the database has it: one for each person and purpose, so that a new one voids the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Whose.
    pub user: UserId,
    /// For what.
    pub purpose: CodePurpose,
    /// Where it was sent; worth nothing once the account has another address.
    pub email: Email,
    /// Of its token.
    pub token: CodeDigest,
    /// Of its digits.
    pub digits: CodeDigest,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is worth nothing.
    pub expires_at: Timestamp,
}

/// The text is not a code of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the {DIGITS} digits of the mail")]
pub struct InvalidCode;

/// So that secret scanners know one when they see it.
const PREFIX: &str = "cs_ot_";
const TOKEN_BYTES: usize = 32;
const DIGITS: usize = 8;
const NUMBERS: u64 = 100_000_000;

impl CodePurpose {
    /// Every purpose, for reading them back.
    pub const ALL: [Self; 3] = [Self::VerifyEmail, Self::ResetPassword, Self::ChangeEmail];

    /// How long a code is good: time to find the letter, and for a new password no more than that (OWASP).
    #[must_use]
    pub const fn lifetime(self) -> Duration {
        match self {
            Self::VerifyEmail => Duration::from_hours(24),
            Self::ResetPassword => Duration::from_mins(30),
            Self::ChangeEmail => Duration::from_hours(1),
        }
    }

    /// What bounds the letters with such codes.
    #[must_use]
    pub const fn limit(self) -> LetterLimit {
        match self {
            Self::VerifyEmail => LetterLimit::Verification,
            Self::ResetPassword => LetterLimit::PasswordReset,
            Self::ChangeEmail => LetterLimit::EmailChange,
        }
    }

    /// The name that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail => "change_email",
        }
    }
}

impl CodeToken {
    /// From random bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; TOKEN_BYTES]) -> Self {
        Self(SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// Takes the text as it arrived; nothing is checked yet.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The random bytes; one token has one spelling.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn bytes(&self) -> Result<[u8; TOKEN_BYTES], InvalidCode> {
        let text = self.expose().strip_prefix(PREFIX).ok_or(InvalidCode)?;
        let mut bytes = [0; TOKEN_BYTES];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(TOKEN_BYTES) => Ok(bytes),
            _ => Err(InvalidCode),
        }
    }

    /// The text that travels.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl CodeDigits {
    /// From a random number: 2⁶⁴ is so much more than 10⁸ that no digits are likelier than others.
    #[must_use]
    pub fn from_random(number: u64) -> Self {
        Self(SecretString::from(format!("{:0DIGITS$}", number % NUMBERS)))
    }

    /// Reads what was typed, perhaps in groups.
    ///
    /// # Errors
    /// When it is anything but eight digits and spaces.
    pub fn parse(text: &str) -> Result<Self, InvalidCode> {
        if text.len() > 4 * DIGITS {
            return Err(InvalidCode);
        }
        let typed: String = text.chars().filter(|c| *c != ' ').collect();
        let is_code = typed.len() == DIGITS && typed.bytes().all(|byte| byte.is_ascii_digit());
        let digits = Self(SecretString::from(typed));
        if is_code { Ok(digits) } else { Err(InvalidCode) }
    }

    /// The digits.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl CodeDigest {
    /// From computed or stored bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for CodeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeDigest([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_is_read_as_it_was_written(bytes: [u8; 32]) {
            prop_assert_eq!(CodeToken::from_bytes(&bytes).bytes(), Ok(bytes));
        }

        #[test]
        fn a_token_has_one_spelling(text in "cs_ot_[A-Za-z0-9_-]{43}") {
            if let Ok(bytes) = CodeToken::from_text(text.clone()).bytes() {
                let again = CodeToken::from_bytes(&bytes);
                prop_assert_eq!(again.expose(), text);
            }
        }

        #[test]
        fn digits_are_read_as_they_were_written(number: u64) {
            let digits = CodeDigits::from_random(number);
            let again = CodeDigits::parse(digits.expose()).unwrap();
            prop_assert_eq!(again.expose(), digits.expose());
        }
    }

    #[test]
    fn anything_else_is_no_token() {
        let good = CodeToken::from_bytes(&[7; 32]).expose().to_owned();
        let others = [format!("{good}A"), format!("{good}="), format!(" {good}"), good[6..].to_owned(), String::new()];
        for text in others.into_iter().chain([good.to_uppercase(), good.replace("cs_ot_", "cs_rt_")]) {
            assert_eq!(CodeToken::from_text(text.clone()).bytes(), Err(InvalidCode), "{text}");
        }
    }

    #[test]
    fn digits_may_be_typed_in_groups_and_nothing_else_may() {
        assert_eq!(CodeDigits::parse(" 0123 4567").unwrap().expose(), "01234567");
        assert_eq!(CodeDigits::from_random(42).expose(), "00000042");
        for text in ["", "1234567", "123456789", "1234-5678", "1234567a", "١٢٣٤٥٦٧٨", &" ".repeat(40)] {
            assert!(CodeDigits::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn codes_are_not_printed() {
        let (token, digits) = (CodeToken::from_bytes(&[7; 32]), CodeDigits::from_random(1_234_567));
        let printed = format!("{token:?} {digits:?} {:?}", CodeDigest::from_bytes([7; 32]));
        assert!(!printed.contains("cs_ot_") && !printed.contains("1234567") && !printed.contains("7, 7"), "{printed}");
    }
}
