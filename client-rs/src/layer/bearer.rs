//! The token in a request's headers.

use http::{HeaderMap, header::AUTHORIZATION};

use super::denial::Denial;

/// `authorization: Bearer …` (RFC 6750 §2.1); the scheme's case does not matter (RFC 9110 §11.1). Two are one too many: others
/// might read the other one.
pub(super) fn token(headers: &HeaderMap) -> Result<Option<&str>, Denial> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else { return Ok(None) };
    match value.to_str().map_err(|_| Denial::Invalid)?.split_once(' ') {
        Some((scheme, token)) if second.is_none() && scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token)),
        _ => Err(Denial::Invalid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_read_and_anything_else_refused() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            token(&headers).map(|token| token.map(str::to_owned))
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["Bearer v4.public.x"]), Ok(Some("v4.public.x".to_owned())));
        assert_eq!(read(&["bEARER v4.public.x"]), Ok(Some("v4.public.x".to_owned())));
        for values in [&["Basic YTpi"][..], &["v4.public.x"], &[""], &["Bearer"], &["Bearer a", "Bearer a"], &["ä"]] {
            assert_eq!(read(values), Err(Denial::Invalid), "{values:?}");
        }
    }
}
