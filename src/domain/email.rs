//! E-mail addresses: kept as typed, compared by a canonical key.

use std::{fmt, str::FromStr};

/// An address that mail can be sent to, and the key by which accounts are told apart.
///
/// The local part is a dot-atom in ASCII (RFC 5321 §4.1.2, without the quoted form); the domain may be written in any script.
/// Two spellings with one key are one account: the key is the lower-cased local part and the UTS #46 ASCII form of the domain.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email {
    address: String,
    key: String,
}

/// Why a string is not an [`Email`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmail {
    /// Nothing was given.
    #[error("is required")]
    Empty,
    /// RFC 5321 §4.5.3.1.3: a path has 256 octets with its brackets.
    #[error("must be at most {MAX_BYTES} bytes")]
    TooLong,
    /// Not `name@example.com`.
    #[error("must be an address like name@example.com")]
    Malformed,
}

const MAX_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;

impl Email {
    /// The address as it was typed: where mail is sent, what the person is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// The canonical form: what is unique, looked up and counted.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        if text.is_empty() {
            return Err(InvalidEmail::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(InvalidEmail::TooLong);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail::Malformed)?;
        if !is_dot_atom(local) {
            return Err(InvalidEmail::Malformed);
        }
        let domain = ascii_domain(domain).ok_or(InvalidEmail::Malformed)?;
        let key = format!("{}@{domain}", local.to_ascii_lowercase());
        // A domain can grow when it is written in ASCII.
        if key.len() > MAX_BYTES {
            return Err(InvalidEmail::TooLong);
        }
        Ok(Self { address: text.to_owned(), key })
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

impl fmt::Debug for Email {
    /// An address is personal: logs name the user's id instead.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email([REDACTED])")
    }
}

/// `atext` of RFC 5322 §3.2.3, in parts joined by single dots.
fn is_dot_atom(local: &str) -> bool {
    let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    local.len() <= MAX_LOCAL_BYTES && local.split('.').all(|part| !part.is_empty() && part.bytes().all(atext))
}

/// The domain as DNS spells it, of at least two labels.
fn ascii_domain(domain: &str) -> Option<String> {
    let uts46 = idna::uts46::Uts46::new();
    let ascii = uts46
        .to_ascii(
            domain.as_bytes(),
            idna::AsciiDenyList::STD3,
            idna::uts46::Hyphens::CheckFirstLast,
            idna::uts46::DnsLength::Verify,
        )
        .ok()?;
    // A last label of digits would be an IPv4 address.
    let top = ascii.rsplit_once('.')?.1;
    (!top.bytes().all(|b| b.is_ascii_digit())).then(|| ascii.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> Result<String, InvalidEmail> {
        text.parse::<Email>().map(|email| email.key().to_owned())
    }

    #[test]
    fn spellings_of_one_address_have_one_key() {
        for (one, other) in [
            ("Ada@Example.COM", "ada@example.com"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ada@BÜCHER.example", "ada@bu\u{308}cher.example"),
            ("ada@faß.example", "ada@xn--fa-hia.example"),
            ("ada@ｅｘａｍｐｌｅ.com", "ada@example.com"),
            ("ada@example。com", "ada@example.com"),
        ] {
            assert_eq!(key(one), key(other), "{one} {other}");
            assert!(key(one).is_ok(), "{one}");
        }
        assert_ne!(key("ada@example.com"), key("a.da@example.com"), "dots count outside one provider");
        assert_eq!("Ada@Example.COM".parse::<Email>().unwrap().as_str(), "Ada@Example.COM");
    }

    #[test]
    fn what_is_not_one_plain_mailbox_is_refused() {
        for text in [
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "ada@example.com.",
            "ada@.example.com",
            "ada@a..b",
            "ada@@example.com",
            "ada@b@example.com",
            "ada＠example.com",
            "ada@b＠example.com",
            "ada,bob@example.com",
            "ada@example.com,bob@example.com",
            "\"ada\"@example.com",
            "ada@[127.0.0.1]",
            "ada@127.0.0.1",
            "<ada@example.com>",
            "ada@example.com>",
            "ada @example.com",
            " ada@example.com",
            "ada@example.com\r\nBcc: x@y.z",
            "ada\0@example.com",
            "ada@exam\0ple.com",
            ".ada@example.com",
            "ada.@example.com",
            "a..da@example.com",
            "ädä@example.com",
            "ada@-example.com",
            "ada@exa_mple.com",
            "ada@xn--zzzzzz.example",
            "mailto:ada@example.com",
            "ada%0d@exa%0dmple.com",
        ] {
            assert_eq!(key(text), Err(InvalidEmail::Malformed), "{text:?}");
        }
        assert_eq!(key(""), Err(InvalidEmail::Empty));
    }

    #[test]
    fn lengths_are_those_of_smtp() {
        let local = "a".repeat(64);
        let domain = format!("{0}.{0}.{1}", "b".repeat(63), "c".repeat(61));
        let longest = format!("{local}@{domain}");
        assert_eq!(longest.len(), 254);
        assert!(key(&longest).is_ok());
        assert_eq!(key(&format!("{longest}c")), Err(InvalidEmail::TooLong));
        assert_eq!(key(&format!("a{local}@example.com")), Err(InvalidEmail::Malformed));
    }

    #[test]
    fn an_address_is_not_printed() {
        assert_eq!(format!("{:?}", "ada@example.com".parse::<Email>().unwrap()), "Email([REDACTED])");
    }

    proptest! {
        #[test]
        fn the_key_is_its_own_key(text in ".{0,40}@.{1,40}\\.[a-z]{2,8}") {
            if let Ok(email) = text.parse::<Email>() {
                prop_assert_eq!(key(email.key()), Ok(email.key().to_owned()));
            }
        }
    }
}
