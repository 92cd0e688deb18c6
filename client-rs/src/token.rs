//! A token's text: taken apart in its one spelling, and verified with a key of ours.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pasetors::{
    keys::AsymmetricPublicKey,
    token::{Public, UntrustedToken},
    version4::{PublicToken, V4},
};
use serde::Deserialize;

/// Far more than any of countersign's; looked at before any decoding, which is where a longer one would cost.
pub(crate) const LONGEST_TOKEN: usize = 4_096;
const LONGEST_FOOTER: usize = 128;
const KID_HEADER: &str = "k4.pid.";
const KID_BYTES: usize = KID_HEADER.len() + 44;

/// A token of which nothing is to be believed but which key it asks for.
pub(crate) struct Token {
    untrusted: UntrustedToken<Public, V4>,
    kid: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Footer<'a> {
    kid: &'a str,
}

impl Token {
    /// Takes a token apart; `None` if it is written in any way but countersign's.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST_TOKEN {
            return None;
        }
        let untrusted = UntrustedToken::<Public, V4>::try_from(text).ok()?;
        let footer = untrusted.untrusted_footer();
        if footer.len() > LONGEST_FOOTER || !is_canonical(text, &untrusted) {
            return None;
        }
        let Footer { kid } = serde_json::from_slice(footer).ok()?;
        // What is not even written like a key's id is not looked for.
        let is_kid = kid.len() == KID_BYTES && kid.starts_with(KID_HEADER);
        if !is_kid || footer != format!(r#"{{"kid":"{kid}"}}"#).as_bytes() {
            return None;
        }
        let kid = kid.to_owned();
        Some(Self { untrusted, kid })
    }

    /// The PASERK id of the key that it claims to be signed with.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// The same, when it is all that is still wanted.
    pub(crate) fn into_kid(self) -> String {
        self.kid
    }

    /// The payload, if this key signed it, with its footer and no implicit assertion.
    pub(crate) fn payload(&self, key: &AsymmetricPublicKey<V4>) -> Option<String> {
        Some(PublicToken::verify(key, &self.untrusted, None, None).ok()?.payload().to_owned())
    }
}

/// Whether the token is spelled as it would be written: the library reads `token + "."` too, and a second spelling is a way
/// around whatever remembers tokens.
fn is_canonical(text: &str, token: &UntrustedToken<Public, V4>) -> bool {
    let body = URL_SAFE_NO_PAD.encode(token.untrusted_message());
    let footer = URL_SAFE_NO_PAD.encode(token.untrusted_footer());
    text.strip_prefix(PublicToken::HEADER).and_then(|rest| rest.split_once('.')) == Some((&body, &footer))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the official vectors, 4-S-1: without a footer, where the library reads two spellings.
    const TOKEN: &str = "v4.public.eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9bg_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA";

    #[test]
    fn a_second_spelling_that_the_library_reads_is_not_canonical() {
        let spelled = format!("{TOKEN}.");
        let read = UntrustedToken::<Public, V4>::try_from(spelled.as_str()).unwrap();
        assert_eq!(
            read.untrusted_message(),
            UntrustedToken::<Public, V4>::try_from(TOKEN).unwrap().untrusted_message()
        );
        assert!(!is_canonical(TOKEN, &read), "nor one without a footer, as none of ours is");
        assert!(Token::parse(&spelled).is_none());
    }
}
