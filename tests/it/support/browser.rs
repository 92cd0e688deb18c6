//! A browser as far as the service can tell one: a page that calls over gRPC-web, and a jar of cookies.

use std::collections::{BTreeMap, BTreeSet};

use countersign::proto::{LoginRequest, LoginResponse, SignedIn, TokenDelivery, login_response::Outcome};
use http::HeaderMap;
use prost::Message;
use tonic::Status;

use super::{
    grpc::login_request,
    http::{Encoding, Http, Version},
};

/// A `set-cookie` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetCookie {
    pub name: String,
    pub value: String,
    pub attributes: BTreeSet<String>,
}

impl SetCookie {
    /// All of the session's that an answer sets, in its order.
    pub fn all(headers: &HeaderMap) -> Vec<Self> {
        Self::of_answer(headers).filter(|cookie| !cookie.is_device()).collect()
    }

    /// The one that an answer sets for the browser to be known by.
    pub fn device(headers: &HeaderMap) -> Option<Self> {
        Self::of_answer(headers).find(Self::is_device)
    }

    fn of_answer(headers: &HeaderMap) -> impl Iterator<Item = Self> {
        headers.get_all("set-cookie").iter().map(|header| Self::parse(header.to_str().unwrap()))
    }

    fn is_device(&self) -> bool {
        self.name.ends_with("-device")
    }

    fn parse(text: &str) -> Self {
        let (pair, attributes) = text.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let attributes = attributes.split("; ").map(ToOwned::to_owned).collect();
        Self { name: name.to_owned(), value: value.to_owned(), attributes }
    }
}

/// A page, and what the browser keeps for it.
#[derive(Clone)]
pub struct Browser {
    pub http: Http,
    pub encoding: Encoding,
    pub page: &'static str,
    pub jar: BTreeMap<String, String>,
    /// By which it is known again; outlives every session.
    pub device: Option<SetCookie>,
}

/// What came back, and the cookies that it set.
pub type Answer<Response> = (Result<Response, Status>, Vec<SetCookie>);

impl Browser {
    pub fn new(http: Http, page: &'static str) -> Self {
        Self { http, encoding: Encoding::Binary, page, jar: BTreeMap::new(), device: None }
    }

    /// Calls with the cookies of the jar, and keeps what is set.
    pub async fn call<Response: Message + Default>(
        &mut self,
        method: &str,
        message: &impl Message,
    ) -> Answer<Response> {
        let device = self.device.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value));
        let cookies: Vec<_> = self.cookies().into_iter().chain(device).collect();
        let (answer, headers) = self.exchange(method, message, &cookies, &[]).await;
        self.device = SetCookie::device(&headers).or(self.device.take());
        let set = SetCookie::all(&headers);
        for cookie in &set {
            if cookie.attributes.contains("Max-Age=0") {
                self.jar.remove(&cookie.name);
            } else {
                self.jar.insert(cookie.name.clone(), cookie.value.clone());
            }
        }
        (answer, set)
    }

    /// Calls with these `cookie` fields and these headers, and keeps nothing.
    pub async fn call_with<Response: Message + Default>(
        &self,
        method: &str,
        message: &impl Message,
        cookies: &[String],
        others: &[(&str, &str)],
    ) -> Answer<Response> {
        let (answer, headers) = self.exchange(method, message, cookies, others).await;
        (answer, SetCookie::all(&headers))
    }

    async fn exchange<Response: Message + Default>(
        &self,
        method: &str,
        message: &impl Message,
        cookies: &[String],
        others: &[(&str, &str)],
    ) -> (Result<Response, Status>, HeaderMap) {
        let cookies = cookies.iter().map(|field| ("cookie", field.as_str()));
        let headers: Vec<_> = cookies.chain([("origin", self.page)]).chain(others.iter().copied()).collect();
        self.http.call(self.encoding, method, message, &headers).await
    }

    /// The jar as `cookie` fields: one over HTTP/1.1; as many as there are cookies over HTTP/2, as browsers do.
    pub fn cookies(&self) -> Vec<String> {
        let pairs: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        match self.http.version {
            Version::Http1 if !pairs.is_empty() => vec![pairs.join("; ")],
            Version::Http1 | Version::Http2 => pairs,
        }
    }

    /// Signs in by cookie somebody who has an account.
    pub async fn login(&mut self, email: &str) -> SignedIn {
        let request = LoginRequest { delivery: TokenDelivery::Cookie.into(), ..login_request(email) };
        let response: LoginResponse = self.call("Login", &request).await.0.unwrap();
        let Some(Outcome::SignedIn(signed_in)) = response.outcome else { panic!("signed in") };
        signed_in
    }
}
