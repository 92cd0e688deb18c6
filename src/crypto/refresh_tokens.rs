//! Refresh tokens: derived from the master key and the session's row, so that neither alone can make one.

use aws_lc_rs::{constant_time, hmac};

use super::MasterKeys;
use crate::domain::{Generation, InvalidRefreshToken, RefreshToken, RefreshTokenParts, SessionId, SessionSalt};

/// Makes and checks refresh tokens.
#[derive(Debug, Clone)]
pub struct RefreshTokens {
    keys: MasterKeys,
}

impl RefreshTokens {
    /// Under the current master key; tokens of earlier ones are still good.
    #[must_use]
    pub fn new(keys: MasterKeys) -> Self {
        Self { keys }
    }

    /// The token of a session's generation: the same each time, so that a repeated call gets a repeated answer.
    #[must_use]
    pub fn derive(&self, session: SessionId, generation: Generation, salt: &SessionSalt) -> RefreshToken {
        let keys = self.keys.current();
        let check = check(&keys.refresh_check, session, generation);
        let tag = tag(&keys.refresh_tag, session, generation, salt);
        RefreshToken::from_parts(&RefreshTokenParts { key_version: keys.version(), session, generation, check, tag })
    }

    /// Reads a token, throwing out junk before it costs a look into the database.
    ///
    /// # Errors
    /// When it was not made under one of our keys.
    pub fn read(&self, token: &RefreshToken) -> Result<RefreshTokenParts, InvalidRefreshToken> {
        let parts = token.parts()?;
        let keys = self.keys.by_version(parts.key_version).ok_or(InvalidRefreshToken)?;
        let expected = check(&keys.refresh_check, parts.session, parts.generation);
        constant_time::verify_slices_are_equal(&expected, &parts.check).map_err(|_| InvalidRefreshToken)?;
        Ok(parts)
    }

    /// Whether the token is of the session whose row has `salt`.
    #[must_use]
    pub fn is_genuine(&self, parts: &RefreshTokenParts, salt: &SessionSalt) -> bool {
        self.keys.by_version(parts.key_version).is_some_and(|keys| {
            let expected = tag(&keys.refresh_tag, parts.session, parts.generation, salt);
            constant_time::verify_slices_are_equal(&expected, &parts.tag).is_ok()
        })
    }
}

fn check(key: &hmac::Key, session: SessionId, generation: Generation) -> [u8; 8] {
    let mac = sign(key, &[session.as_bytes(), &generation.count().to_be_bytes()]);
    let mut check = [0; 8];
    check.copy_from_slice(&mac.as_ref()[..8]);
    check
}

fn tag(key: &hmac::Key, session: SessionId, generation: Generation, salt: &SessionSalt) -> [u8; 32] {
    let mac = sign(key, &[session.as_bytes(), &generation.count().to_be_bytes(), salt.as_bytes()]);
    let mut tag = [0; 32];
    tag.copy_from_slice(mac.as_ref());
    tag
}

/// Each part has a fixed length, so that no two lists of parts are one message.
fn sign(key: &hmac::Key, parts: &[&[u8]]) -> hmac::Tag {
    let mut mac = hmac::Context::with_key(key);
    for part in parts {
        mac.update(part);
    }
    mac.sign()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "cs_mk_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    const TWO: &str = "cs_mk_AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";
    const SALT: SessionSalt = SessionSalt::from_bytes([9; 32]);

    fn tokens(keys: &str) -> RefreshTokens {
        RefreshTokens::new(MasterKeys::parse(keys).unwrap())
    }

    fn token(keys: &str) -> RefreshToken {
        tokens(keys).derive(SessionId::from_bytes([7; 16]), Generation::FIRST, &SALT)
    }

    #[test]
    fn a_token_needs_the_master_key_and_the_salt() {
        let parts = tokens(ONE).read(&token(ONE)).unwrap();
        assert!(tokens(ONE).is_genuine(&parts, &SALT));
        assert!(!tokens(ONE).is_genuine(&parts, &SessionSalt::from_bytes([8; 32])));
        assert!(tokens(TWO).read(&token(ONE)).is_err());
        assert_eq!(token(ONE).expose(), token(ONE).expose(), "the same successor, however often it is asked for");
    }

    #[test]
    fn tokens_of_an_earlier_master_key_stay_good() {
        let both = tokens(&format!("{TWO} {ONE}"));
        let parts = both.read(&token(ONE)).unwrap();
        assert!(both.is_genuine(&parts, &SALT));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let good = token(ONE).expose().to_owned();
        let tokens = tokens(ONE);
        let passes = |text: String| {
            let parts = tokens.read(&RefreshToken::from_text(text));
            parts.is_ok_and(|parts| parts.session == SessionId::from_bytes([7; 16]) && tokens.is_genuine(&parts, &SALT))
        };
        assert!(passes(good.clone()));
        for position in 0..good.len() {
            for other in ['A', 'B', '_', 'z', '.', '='] {
                let mut text = good.clone();
                text.replace_range(position..=position, &other.to_string());
                assert!(text == good || !passes(text), "{position} {other}");
            }
        }
    }
}
