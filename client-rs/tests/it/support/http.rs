//! A real axum server, and raw requests to it.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use http_body_util::BodyExt as _;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::net::TcpListener;

use super::in_time;

/// Serves until the test's runtime ends.
pub async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    /// A header's one value; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map_or("", |value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} is there once");
        value
    }

    /// Status and the reason in the body.
    pub fn outcome(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        format!("{} {}", self.status.as_u16(), body["reason"].as_str().unwrap_or(&self.body))
    }
}

pub async fn send(method: Method, url: &str, headers: &[(&str, &str)]) -> Reply {
    let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = in_time(client.request(request.body(Body::empty()).unwrap())).await.unwrap();
    let (parts, body) = answer.into_parts();
    let body = in_time(body.collect()).await.unwrap().to_bytes();
    Reply { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

/// A request with this token.
pub async fn get(url: &str, token: &str) -> Reply {
    send(Method::GET, url, &[("authorization", &format!("Bearer {token}"))]).await
}
