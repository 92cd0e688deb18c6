//! Which page a request comes from, by the headers that a browser writes and no page can.

use tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue, header::ORIGIN};

use super::{CookieProfile, Origins};

/// Set by the browser, and by nothing that a page can do.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// How much of an origin is worth repeating.
const LONGEST_ORIGIN: usize = 100;

impl Origins {
    /// The cookies of the page that a request comes from: one that is listed, or that the browser says is of our own origin.
    ///
    /// # Errors
    /// With what is missing, for whoever set the page up.
    pub fn of_page(&self, headers: &HeaderMap) -> Result<CookieProfile, String> {
        let origin = only(headers, &ORIGIN);
        if origin.is_none() && headers.contains_key(ORIGIN) {
            return Err("there is more than one origin header".to_owned());
        }
        let listed = origin.and_then(|origin| self.profile(origin.to_str().ok()?));
        let is_same_origin = only(headers, &FETCH_SITE).is_some_and(|site| site == "same-origin");
        listed.or(is_same_origin.then_some(CookieProfile::SameSite)).ok_or_else(|| match origin.map(printable) {
            Some(origin) => {
                format!("origin {origin} is not in browser.same_site_origins or browser.cross_site_origins")
            }
            None => "a cookie must come with an origin header; servers send authorization: Bearer".to_owned(),
        })
    }
}

/// The value of a header that is there exactly once.
pub fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// For a message that somebody reads in a terminal.
fn printable(origin: &HeaderValue) -> &str {
    let is_plain = |text: &&str| text.len() <= LONGEST_ORIGIN && text.bytes().all(|byte| byte.is_ascii_graphic());
    origin.to_str().ok().filter(is_plain).unwrap_or("(unprintable)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_repeats_only_what_can_be_printed() {
        let message = |origin: &str| {
            let headers = HeaderMap::from_iter([(ORIGIN, HeaderValue::from_str(origin).unwrap())]);
            Origins::default().of_page(&headers).unwrap_err()
        };
        assert!(
            message("https://evil.test").starts_with("origin https://evil.test is not in browser.same_site_origins")
        );
        assert!(message("a b").starts_with("origin (unprintable) is"));
        assert!(message(&"a".repeat(101)).starts_with("origin (unprintable) is"));
    }
}
