//! What a call brings beside its message: whence it comes, and what it is authorised by.

use std::sync::Arc;

use tonic::{Request, Status, metadata::MetadataMap};

use super::{
    Arrival, CookieProfile,
    cookies::{self, Cookies, Duplicate},
    parse::Delivery,
    status::status,
};
use crate::{
    app::{App, Caller, Error, FreshCaller, Rejection},
    domain::{AccessToken, BackendKey, Device, DeviceToken, RefreshToken},
};

/// The call comes over gRPC-web from a page that may call, and these are its cookies; the server's guard puts it into the
/// request. Without it no cookie counts.
#[derive(Debug, Clone, Copy)]
pub struct Page(pub CookieProfile);

/// What a call brings beside its message.
pub(super) struct Call {
    /// `None` where no server was before.
    arrival: Option<Arc<Arrival>>,
    pub(super) page: Option<CookieProfile>,
    bearer: Result<Option<AccessToken>, Rejection>,
    cookies: Result<Cookies, Duplicate>,
}

impl Call {
    pub(super) fn of<T>(request: &Request<T>) -> Self {
        let extensions = request.extensions();
        let page = extensions.get::<Page>().map(|page| page.0);
        Self::with(request.metadata(), page, Arrival::of(extensions).cloned())
    }

    /// What these headers bring when they come from that page.
    pub(super) fn with(metadata: &MetadataMap, page: Option<CookieProfile>, arrival: Option<Arc<Arrival>>) -> Self {
        Self {
            arrival,
            page,
            bearer: bearer(metadata),
            cookies: page.map_or_else(|| Ok(Cookies::default()), |profile| Cookies::read(metadata, profile)),
        }
    }

    /// From whom it is.
    pub(super) fn device(&self) -> Device {
        self.arrival.as_ref().map(|arrival| arrival.device.clone()).unwrap_or_default()
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

    /// Who calls.
    pub(super) async fn caller(&self, app: &App) -> Result<Caller, Status> {
        let caller = async { app.verifier().authenticate(self.access_token()?).await };
        caller.await.map_err(|error: Error| self.refuse(error))
    }

    /// Who calls, if they have just proved that they do.
    pub(super) async fn fresh_caller(&self, app: &App) -> Result<FreshCaller, Status> {
        let caller = async { app.authenticate_fresh(self.access_token()?).await };
        caller.await.map_err(|error: Error| self.refuse(error))
    }

    /// What the device is known by, in the cookie.
    pub(super) fn device_cookie(&self) -> Option<&DeviceToken> {
        self.cookies.as_ref().ok().and_then(|cookies| cookies.device.as_ref())
    }

    /// Where new credentials of the calling session go: the way that the present one came, so that what scripts cannot read
    /// never becomes what they can.
    pub(super) fn delivery(&self) -> Delivery {
        let has_cookie = self.cookies.as_ref().is_ok_and(|cookies| cookies.access.is_some());
        match self.page {
            Some(profile) if has_cookie => Delivery::Cookie(profile),
            _ => Delivery::Body,
        }
    }

    /// Takes the session's cookies away, where the call came from a page.
    pub(super) fn clear_cookies(&self, metadata: &mut MetadataMap) {
        if let Some(profile) = self.page {
            cookies::delete(metadata, profile);
        }
    }

    /// Renders an error. Cookies that will never be good again are taken away with it; those that only could not be looked at
    /// are not.
    pub(super) fn refuse(&self, error: impl Into<Error>) -> Status {
        let error = error.into();
        let mut status = status(&error, self.arrival.as_deref());
        let is_final = matches!(error, Error::Rejected(Rejection::TokenInvalid | Rejection::SessionEnded));
        if is_final {
            self.clear_cookies(status.metadata_mut());
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
