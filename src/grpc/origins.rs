//! Which pages may call, and which cookies each of them gets.

use std::{fmt, str::FromStr};

/// A web origin (RFC 6454): scheme, host and port, spelled as browsers send it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(String);

/// Why a string is not an [`Origin`] that can be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrigin {
    /// `*`: with credentials it would hand every page in the world the visitor's session.
    #[error("cannot be a wildcard: browsers and this service refuse it with cookies; list each origin")]
    Wildcard,
    /// `null`: what sandboxed frames and local files send, whoever wrote them.
    #[error("cannot be \"null\": any sandboxed frame sends that")]
    Null,
    /// Not `https://app.example.com` or `http://localhost:3000`.
    #[error("must be an origin like https://app.example.com, in lower case, without a path or a default port")]
    Malformed,
}

impl Origin {
    /// The text of the `Origin` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        if text.contains('*') {
            return Err(InvalidOrigin::Wildcard);
        }
        if text == "null" {
            return Err(InvalidOrigin::Null);
        }
        let (scheme, authority) = text.split_once("://").ok_or(InvalidOrigin::Malformed)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let port_is_plain = match port {
            None => true,
            Some(digits) => {
                let default = if scheme == "https" { "443" } else { "80" };
                digits != default && !digits.starts_with('0') && digits.parse::<u16>().is_ok()
            }
        };
        if matches!(scheme, "https" | "http") && port_is_plain && is_host(host) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidOrigin::Malformed)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A host as browsers write it: a name in lower-case ASCII, or an address.
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok_and(|parsed| parsed.to_string() == address);
    }
    let label = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    host.split('.').all(|part| !part.is_empty() && part.bytes().all(label))
}

/// How a page's cookies travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieProfile {
    /// The page and the service are on one site: `SameSite=Lax`.
    SameSite,
    /// They are not: `SameSite=None; Partitioned` (CHIPS), so that a browser without third-party cookies keeps them.
    CrossSite,
}

/// The pages that may call, exactly as listed: no patterns, no suffixes.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    listed: Vec<(Origin, CookieProfile)>,
    without_cookies: bool,
}

impl Origins {
    /// The pages of `same_site` and of `cross_site`, each with its cookies.
    #[must_use]
    pub fn new(same_site: Vec<Origin>, cross_site: Vec<Origin>) -> Self {
        let same = same_site.into_iter().map(|origin| (origin, CookieProfile::SameSite));
        let cross = cross_site.into_iter().map(|origin| (origin, CookieProfile::CrossSite));
        Self { listed: same.chain(cross).collect(), without_cookies: false }
    }

    /// The same pages, which have to bring their tokens themselves.
    #[must_use]
    pub fn without_cookies(self) -> Self {
        Self { without_cookies: true, ..self }
    }

    /// Whether pages get cookies.
    #[must_use]
    pub fn have_cookies(&self) -> bool {
        !self.without_cookies
    }

    /// The cookies of a page, by its `Origin` header; `None` for a page that may not call.
    #[must_use]
    pub fn profile(&self, header: &str) -> Option<CookieProfile> {
        self.listed.iter().find(|(origin, _)| origin.as_str() == header).map(|(_, profile)| *profile)
    }

    /// The listed origins, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Origin> {
        self.listed.iter().map(|(origin, _)| origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_sends_can_be_listed() {
        for text in [
            "https://app.example.com",
            "https://app.example.com:8443",
            "http://localhost:3000",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "https://xn--bcher-kva.example",
        ] {
            assert_eq!(text.parse::<Origin>().map(|origin| origin.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_would_never_match_or_match_too_much_is_refused() {
        assert_eq!("*".parse::<Origin>(), Err(InvalidOrigin::Wildcard));
        assert_eq!("https://*.example.com".parse::<Origin>(), Err(InvalidOrigin::Wildcard));
        assert_eq!("null".parse::<Origin>(), Err(InvalidOrigin::Null));
        for text in [
            "",
            "app.example.com",
            "https://",
            "https://app.example.com/",
            "https://app.example.com:443",
            "http://localhost:80",
            "https://App.example.com",
            "https://user@app.example.com",
            "https://app.example.com.",
            "https://a..b",
            "ftp://a.b",
            "https://app.example.com:0",
            "https://app.example.com:65536",
            "https://app.example.com:",
            "https://bücher.example",
            "http://[::0001]",
            "file://",
            " https://app.example.com",
            "https://app.example.com ",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(InvalidOrigin::Malformed), "{text:?}");
        }
    }

    #[test]
    fn only_the_very_origin_matches() {
        let origins = Origins::new(
            vec!["https://app.example.com".parse().unwrap()],
            vec!["https://shop.example".parse().unwrap()],
        );
        assert_eq!(origins.profile("https://app.example.com"), Some(CookieProfile::SameSite));
        assert_eq!(origins.profile("https://shop.example"), Some(CookieProfile::CrossSite));
        for other in [
            "https://app.example.com:444",
            "http://app.example.com",
            "https://badapp.example.com",
            "https://app.example.com.evil.test",
            "https://evil.test/https://app.example.com",
            "https://app.example.co",
            "null",
            "",
            "HTTPS://app.example.com",
            "https://app.example.com, https://evil.test",
            "https://app.example.com\0",
        ] {
            assert_eq!(origins.profile(other), None, "{other:?}");
        }
    }
}
