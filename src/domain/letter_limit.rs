//! How many letters others can cause somebody to get, or somebody can have sent to others.

use std::time::Duration;

use super::Timestamp;

/// What is bounded: each kind by itself, so that who causes letters of one kind keeps nobody from those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterLimit {
    /// Codes for confirming one's address.
    Verification,
    /// Codes for choosing a new password.
    PasswordReset,
    /// That somebody tried to sign up with one's address.
    SignUpRepeated,
    /// Codes that somebody signed in has sent to the addresses which their account is to have.
    EmailChange,
}

/// So many at once,
const AT_ONCE: u32 = 3;
/// and another after so long. Shorter than any code lives: whoever asked and gets no letter has got one with a code that is
/// still good.
const ANOTHER_AFTER: Duration = Duration::from_mins(20);

impl LetterLimit {
    /// The name that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::PasswordReset => "password_reset",
            Self::SignUpRepeated => "sign_up_repeated",
            Self::EmailChange => "email_change",
        }
    }
}

/// Until when an allowance is used up, at which one number is enough for a leaky bucket (GCRA, the "virtual scheduling" of
/// ITU-T I.371): a letter moves it on by [`Self::STEP`], and may leave while it is not beyond [`Self::last_for`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedUntil(pub Timestamp);

impl UsedUntil {
    /// How far one letter moves it on.
    pub const STEP: Duration = ANOTHER_AFTER;
    const SLACK: Duration = ANOTHER_AFTER.saturating_mul(AT_ONCE - 1);

    /// The latest at which another letter may leave now.
    #[must_use]
    pub fn last_for(now: Timestamp) -> Self {
        Self(now + Self::SLACK)
    }

    /// How long to wait for the next letter.
    #[must_use]
    pub fn wait(self, now: Timestamp) -> Duration {
        self.0.since(now).saturating_sub(Self::SLACK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::CodePurpose;

    #[test]
    fn whoever_gets_no_letter_has_one_that_is_good() {
        for purpose in CodePurpose::ALL {
            assert!(UsedUntil::STEP < purpose.lifetime(), "{purpose:?}");
        }
    }

    #[test]
    fn three_at_once_and_another_after_twenty_minutes() {
        let now = Timestamp::from_unix_seconds(1_000_000);
        let mut used = UsedUntil(now);
        for _ in 0..3 {
            assert!(used.0 <= UsedUntil::last_for(now).0);
            assert_eq!(used.wait(now), Duration::ZERO);
            used = UsedUntil(used.0 + UsedUntil::STEP);
        }
        assert!(used.0 > UsedUntil::last_for(now).0);
        assert_eq!(used.wait(now), Duration::from_mins(20));
        assert!(used.0 <= UsedUntil::last_for(now + Duration::from_mins(20)).0);
    }
}
