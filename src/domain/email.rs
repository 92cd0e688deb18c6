//! E-mail addresses: kept as typed, compared by a canonical key.

use std::{fmt, str::FromStr};

/// An address that mail can be sent to, and the key by which accounts are told apart.
///
/// The local part is a dot-atom in ASCII (RFC 5321 §4.1.2, without the quoted form); the domain may be written in any script,
/// as long as all of it can be seen.
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

    /// What stands before the `@`, as it was typed: only its own server knows whether capitals matter.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The domain as DNS and SMTP have it.
    #[must_use]
    pub fn ascii_domain(&self) -> &str {
        self.key.rsplit_once('@').map_or("", |(_, domain)| domain)
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
        // IDNA passes over what is invisible; kept and shown, it would make two addresses of one that look alike.
        if !is_dot_atom(local) || domain.contains(is_invisible) {
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

/// Unicode's `Default_Ignorable_Code_Point`: soft hyphens, joiners, marks of direction, variation selectors, tags and fillers.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
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
        let typed: Email = "Ada@BÜCHER.example".parse().unwrap();
        assert_eq!(typed.as_str(), "Ada@BÜCHER.example");
        assert_eq!((typed.local_part(), typed.ascii_domain()), ("Ada", "xn--bcher-kva.example"));
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
    fn what_cannot_be_seen_is_refused() {
        for invisible in ['\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{fe0f}', '\u{feff}', '\u{e0061}']
        {
            for text in [
                format!("ad{invisible}a@example.com"),
                format!("{invisible}ada@example.com"),
                format!("ada@exam{invisible}ple.com"),
                format!("ada@bü{invisible}cher.example"),
                format!("ada@example.com{invisible}"),
                format!("ada@{invisible}example.com"),
            ] {
                assert_eq!(key(&text), Err(InvalidEmail::Malformed), "{text:?}");
            }
        }
    }

    /// Of all that there is: no character is kept in an address and missing from its key.
    #[test]
    fn nothing_that_dns_passes_over_is_kept() {
        let passed_over =
            ('\u{80}'..=char::MAX).filter(|c| ascii_domain(&format!("a{c}b.example")).as_deref() == Some("ab.example"));
        let kept: Vec<char> = passed_over.filter(|c| !is_invisible(*c)).collect();
        assert_eq!(kept, ['\0'; 0]);
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
