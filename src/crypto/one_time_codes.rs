//! One-time codes: kept as keyed digests, so that whoever steals the database can neither read one nor try them all.

use aws_lc_rs::{constant_time, hmac};

use super::MasterKeys;
use crate::{
    domain::{CodeDigest, CodeDigits, CodePurpose, CodeToken, UserId},
    entropy::Entropy,
};

/// Makes and checks one-time codes.
#[derive(Debug, Clone)]
pub struct OneTimeCodes {
    keys: MasterKeys,
}

/// A code just made, in both of its spellings, with what is kept of each.
#[derive(Debug, Clone)]
pub struct MadeCode {
    /// For the link.
    pub token: CodeToken,
    /// For typing.
    pub digits: CodeDigits,
    /// Of the token.
    pub token_digest: CodeDigest,
    /// Of the digits.
    pub digits_digest: CodeDigest,
}

/// Which spelling is digested; in the message, so that the one never passes as the other.
const TOKEN: u8 = 1;
const TYPED: u8 = 2;

impl OneTimeCodes {
    /// Under the current master key; codes of earlier ones are still good.
    #[must_use]
    pub fn new(keys: MasterKeys) -> Self {
        Self { keys }
    }

    /// A code for `user`.
    #[must_use]
    pub fn make(&self, purpose: CodePurpose, user: UserId, entropy: &dyn Entropy) -> MadeCode {
        let key = &self.keys.current().codes;
        let bytes = entropy.bytes();
        let digits = CodeDigits::from_random(u64::from_be_bytes(entropy.bytes()));
        MadeCode {
            token: CodeToken::from_bytes(&bytes),
            token_digest: CodeDigest::from_bytes(digest(key, TOKEN, purpose, &[&bytes])),
            digits_digest: of_digits(key, purpose, user, &digits),
            digits,
        }
    }

    /// What would be kept of this token, under each key that is still read; none when it is no token at all.
    #[must_use]
    pub fn token_digests(&self, purpose: CodePurpose, token: &CodeToken) -> Vec<CodeDigest> {
        let Ok(bytes) = token.bytes() else { return Vec::new() };
        let digests = self.keys.all().map(|key| digest(&key.codes, TOKEN, purpose, &[&bytes]));
        digests.map(CodeDigest::from_bytes).collect()
    }

    /// Whether these are the digits that `kept` was made of.
    #[must_use]
    pub fn is_right(&self, purpose: CodePurpose, user: UserId, digits: &CodeDigits, kept: &CodeDigest) -> bool {
        self.keys.all().any(|key| {
            let offered = of_digits(&key.codes, purpose, user, digits);
            constant_time::verify_slices_are_equal(offered.as_bytes(), kept.as_bytes()).is_ok()
        })
    }
}

fn of_digits(key: &hmac::Key, purpose: CodePurpose, user: UserId, digits: &CodeDigits) -> CodeDigest {
    CodeDigest::from_bytes(digest(key, TYPED, purpose, &[user.as_bytes(), digits.expose().as_bytes()]))
}

/// Each part has a fixed length for its kind, so that no two lists of parts are one message.
fn digest(key: &hmac::Key, kind: u8, purpose: CodePurpose, parts: &[&[u8]]) -> [u8; 32] {
    let purpose = match purpose {
        CodePurpose::VerifyEmail => 1,
        CodePurpose::ResetPassword => 2,
        CodePurpose::ChangeEmail => 3,
    };
    let mut mac = hmac::Context::with_key(key);
    mac.update(&[kind, purpose]);
    for part in parts {
        mac.update(part);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(mac.sign().as_ref());
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;

    const ONE: &str = "cs_mk_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    const TWO: &str = "cs_mk_AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";
    const ADA: UserId = UserId::from_bytes([1; 16]);
    const EVE: UserId = UserId::from_bytes([2; 16]);

    fn codes(keys: &str) -> OneTimeCodes {
        OneTimeCodes::new(MasterKeys::parse(keys).unwrap())
    }

    #[test]
    fn a_code_is_good_for_its_purpose_and_its_person_alone() {
        let codes = codes(ONE);
        for made_for in CodePurpose::ALL {
            let made = codes.make(made_for, ADA, &OsEntropy);
            for purpose in CodePurpose::ALL {
                let is_same = purpose == made_for;
                assert_eq!(codes.token_digests(purpose, &made.token).contains(&made.token_digest), is_same);
                assert_eq!(codes.is_right(purpose, ADA, &made.digits, &made.digits_digest), is_same);
            }
            assert!(!codes.is_right(made_for, EVE, &made.digits, &made.digits_digest));
            assert!(!codes.is_right(made_for, ADA, &made.digits, &made.token_digest));
        }
    }

    #[test]
    fn what_is_kept_needs_the_master_key_and_an_earlier_one_still_does() {
        let made = codes(ONE).make(CodePurpose::ResetPassword, ADA, &OsEntropy);
        let both = format!("{TWO} {ONE}");
        for (keys, is_good) in [(ONE, true), (TWO, false), (&both, true)] {
            let codes = codes(keys);
            let digests = codes.token_digests(CodePurpose::ResetPassword, &made.token);
            assert_eq!(digests.contains(&made.token_digest), is_good);
            assert_eq!(codes.is_right(CodePurpose::ResetPassword, ADA, &made.digits, &made.digits_digest), is_good);
        }
    }

    #[test]
    fn other_digits_and_no_token_at_all_are_wrong() {
        let codes = codes(ONE);
        let made = codes.make(CodePurpose::VerifyEmail, ADA, &OsEntropy);
        let number: u64 = made.digits.expose().parse().unwrap();
        for other in [number + 1, number ^ 1, number + 50_000_000] {
            let other = CodeDigits::from_random(other);
            assert!(!codes.is_right(CodePurpose::VerifyEmail, ADA, &other, &made.digits_digest));
        }
        let cut = CodeToken::from_text(made.token.expose()[..48].to_owned());
        assert!(codes.token_digests(CodePurpose::VerifyEmail, &cut).is_empty());
    }
}
