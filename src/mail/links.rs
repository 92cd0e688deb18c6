//! Where links in letters lead: to the app, whatever the call that caused the letter claims about itself.

use std::{fmt, str::FromStr};

use super::OneTime;

/// What every link begins with: the app's address, e.g. `https://app.example.com`, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkBase(String);

/// The text is not a [`LinkBase`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be like https://app.example.com or https://example.com/app, without a slash at the end, a query or a fragment"
)]
pub struct InvalidLinkBase;

impl LinkBase {
    /// A link to a page of the app. The secret is in the fragment: that stays in the browser, where no server's log and no
    /// other page's `Referer` gets it.
    pub(super) fn link(&self, page: &str, token: &OneTime) -> String {
        format!("{}/{page}#token={}", self.0, token.expose())
    }

    /// Whether it is protected on its way.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl FromStr for LinkBase {
    type Err = InvalidLinkBase;

    fn from_str(text: &str) -> Result<Self, InvalidLinkBase> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(InvalidLinkBase)?;
        let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
        let is_host = !host.is_empty()
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
            && host.bytes().any(|b| b.is_ascii_alphanumeric());
        let is_segment = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
        };
        if is_host && path.is_none_or(|path| path.split('/').all(is_segment)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidLinkBase)
        }
    }
}

impl fmt::Display for LinkBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_carries_the_secret_in_its_fragment() {
        let token = OneTime::from_text("a-_Z9".to_owned());
        for (base, link) in [
            ("https://app.example.com", "https://app.example.com/verify-email#token=a-_Z9"),
            ("http://localhost:3000", "http://localhost:3000/verify-email#token=a-_Z9"),
            ("http://[::1]:3000", "http://[::1]:3000/verify-email#token=a-_Z9"),
            ("https://example.com/a/b", "https://example.com/a/b/verify-email#token=a-_Z9"),
        ] {
            assert_eq!(base.parse::<LinkBase>().unwrap().link("verify-email", &token), link);
        }
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_base() {
        for text in [
            "",
            "https://",
            "app.example.com",
            "//app.example.com",
            "ftp://app.example.com",
            "javascript:alert(1)",
            "HTTPS://app.example.com",
            "https://app.example.com/",
            "https://app.example.com//a",
            "https://app.example.com/../a",
            "https://app.example.com?x=1",
            "https://app.example.com/a?x=1",
            "https://app.example.com#a",
            "https://ada:secret@app.example.com",
            "https://app.example.com@evil.example",
            "https://app example.com",
            "https://app.example.com\n",
            "https://bücher.example",
            "https://:",
        ] {
            assert_eq!(text.parse::<LinkBase>(), Err(InvalidLinkBase), "{text:?}");
        }
    }
}
