//! What a call brings beside its message: whence it comes, and what it is authorised by.

use tonic::{Request, Status, metadata::MetadataMap};

use super::{
    CookieProfile,
    cookies::{self, Cookies, Duplicate},
    status::status,
};
use crate::{
    app::{Error, Rejection},
    domain::{AccessToken, BackendKey, Device, RefreshToken},
};

/// The id that a request has in the log; the server puts it into the request.
#[derive(Debug, Clone, Default)]
pub struct RequestId(String);

impl RequestId {
    /// Takes an id.
    #[must_use]
    pub fn new(id: String) -> Self {
        Self(id)
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The call comes over gRPC-web from a page that may call, and these are its cookies; the server's guard puts it into the
/// request. Without it no cookie counts.
#[derive(Debug, Clone, Copy)]
pub struct Page(pub CookieProfile);

/// What a call brings beside its message.
pub(super) struct Call {
    request: RequestId,
    pub(super) device: Device,
    pub(super) page: Option<CookieProfile>,
    bearer: Result<Option<AccessToken>, Rejection>,
    cookies: Result<Cookies, Duplicate>,
}

impl Call {
    pub(super) fn of<T>(request: &Request<T>) -> Self {
        let extensions = request.extensions();
        let page = extensions.get::<Page>().map(|page| page.0);
        Self {
            request: extensions.get::<RequestId>().cloned().unwrap_or_default(),
            device: extensions.get::<Device>().cloned().unwrap_or_default(),
            page,
            bearer: bearer(request.metadata()),
            cookies: page.map_or_else(|| Ok(Cookies::default()), |profile| Cookies::read(request.metadata(), profile)),
        }
    }

    /// The access token, from the header or the cookie; both only if they say the same, so that nobody acts as somebody else
    /// than they see.
    pub(super) fn access_token(&self) -> Result<Option<&AccessToken>, Rejection> {
        let bearer = self.bearer.as_ref().map_err(|rejection| *rejection)?.as_ref();
        let cookie = self.cookies.as_ref().map_err(|Duplicate| Rejection::TokenInvalid)?.access.as_ref();
        match (bearer, cookie) {
            (Some(bearer), Some(cookie)) if bearer.expose() != cookie.expose() => Err(Rejection::TokenInvalid),
            (bearer, cookie) => Ok(bearer.or(cookie)),
        }
    }

    /// The key of a service, from the header alone: no page has one.
    pub(super) fn backend_key(&self) -> Result<Option<BackendKey>, Rejection> {
        let bearer = self.bearer.as_ref().map_err(|rejection| *rejection)?.as_ref();
        Ok(bearer.map(|text| BackendKey::from_text(text.expose().to_owned())))
    }

    /// The refresh token in the cookie.
    pub(super) fn refresh_cookie(&self) -> Result<Option<&RefreshToken>, Rejection> {
        self.cookies.as_ref().map(|cookies| cookies.refresh.as_ref()).map_err(|Duplicate| Rejection::TokenInvalid)
    }

    /// Renders an error. Cookies that will never be good again are taken away with it; those that only could not be looked at
    /// are not.
    pub(super) fn refuse(&self, error: impl Into<Error>) -> Status {
        let error = error.into();
        let mut status = status(&error, &self.request);
        let is_final = matches!(error, Error::Rejected(Rejection::TokenInvalid | Rejection::SessionEnded));
        if let (true, Some(profile)) = (is_final, self.page) {
            cookies::delete(status.metadata_mut(), profile);
        }
        status
    }
}

/// `authorization: Bearer …` (RFC 6750 §2.1); the scheme's case does not matter (RFC 9110 §11.1).
fn bearer(metadata: &MetadataMap) -> Result<Option<AccessToken>, Rejection> {
    let mut values = metadata.get_all("authorization").iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else { return Ok(None) };
    let text = value.to_str().map_err(|_| Rejection::TokenInvalid)?;
    match text.split_once(' ') {
        Some((scheme, token)) if second.is_none() && scheme.eq_ignore_ascii_case("bearer") => {
            Ok(Some(AccessToken::from_text(token.to_owned())))
        }
        _ => Err(Rejection::TokenInvalid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Option<String>, Rejection> {
        let mut metadata = MetadataMap::new();
        for value in values {
            metadata.append("authorization", value.parse().unwrap());
        }
        Ok(bearer(&metadata)?.map(|token| token.expose().to_owned()))
    }

    #[test]
    fn a_bearer_token_is_read_and_anything_else_refused() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["Bearer v4.public.x"]), Ok(Some("v4.public.x".to_owned())));
        assert_eq!(read(&["bearer v4.public.x"]), Ok(Some("v4.public.x".to_owned())));
        for values in
            [&["Basic YTpi"][..], &["v4.public.x"][..], &[""][..], &["Bearer a", "Bearer a"][..], &["Bearer"][..]]
        {
            assert_eq!(read(values), Err(Rejection::TokenInvalid), "{values:?}");
        }
    }
}
