//! Letters: sealed while they wait, since they hold addresses and one-time codes.

use zeroize::Zeroizing;

use super::{CryptoError, MasterKeys};
use crate::domain::{LetterId, OutboxLetter, SealedLetter};

impl MasterKeys {
    /// Makes a letter unreadable without the master key, and of no use in the place of another.
    ///
    /// # Errors
    /// When the library refuses what it never should.
    pub fn seal_letter(&self, letter: LetterId, text: &str) -> Result<SealedLetter, CryptoError> {
        self.seal(text, &purpose(letter)).map(SealedLetter::from_text)
    }

    /// Reads a letter.
    ///
    /// # Errors
    /// When it was sealed under a key that is not configured, was another one's, or was changed.
    pub fn unseal_letter(&self, letter: &OutboxLetter) -> Result<Zeroizing<String>, CryptoError> {
        let refused = CryptoError::SealedLetter { letter: letter.id };
        self.unseal(letter.sealed.as_str(), &purpose(letter.id)).ok_or(refused)
    }
}

/// What a sealed letter is bound to, so that one letter's content cannot be put in another's row.
fn purpose(letter: LetterId) -> String {
    format!("letter {letter}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    const ONE: &str = "cs_mk_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    const TWO: &str = "cs_mk_AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

    fn letter(id: u8) -> OutboxLetter {
        let (id, at) = (LetterId::from_bytes([id; 16]), Timestamp::from_unix_millis(0));
        let sealed = MasterKeys::parse(ONE).unwrap().seal_letter(id, "To: ada@example.com").unwrap();
        OutboxLetter { id, user: None, at, sealed }
    }

    #[test]
    fn a_letter_opens_under_its_master_key_and_its_own_id_alone() {
        let keys = MasterKeys::parse(ONE).unwrap();
        let (one, other) = (letter(1), letter(2));
        assert_eq!(keys.unseal_letter(&one).unwrap().as_str(), "To: ada@example.com");
        let refused = |letter: &OutboxLetter| Some(CryptoError::SealedLetter { letter: letter.id });
        assert_eq!(MasterKeys::parse(TWO).unwrap().unseal_letter(&one).err(), refused(&one));
        let swapped = OutboxLetter { sealed: other.sealed, ..one.clone() };
        assert_eq!(keys.unseal_letter(&swapped).err(), refused(&one));
        let junk = OutboxLetter { sealed: SealedLetter::from_text("v4.local.AAAA".to_owned()), ..one.clone() };
        assert_eq!(keys.unseal_letter(&junk).err(), refused(&one));
        assert!(!one.sealed.as_str().contains("ada") && !format!("{one:?}").contains(one.sealed.as_str()));
    }
}
