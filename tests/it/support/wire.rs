//! Every way that a call can travel, with bodies as they are: for what no client library would send, and for answers byte by
//! byte.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Method, StatusCode};
use tonic::Status;

use super::{
    TestApp,
    grpc::summary,
    http::{Headers, Http, Reply, Version, path_of},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Native,
    Web(Version),
    WebText(Version),
}

impl Wire {
    pub const ALL: [Self; 5] = [
        Self::Native,
        Self::Web(Version::Http1),
        Self::Web(Version::Http2),
        Self::WebText(Version::Http1),
        Self::WebText(Version::Http2),
    ];

    /// Calls `AuthService`, or `Service/Method`, with these frames, whatever they are.
    pub async fn call(self, app: &TestApp, method: &str, frames: &[u8], headers: Headers<'_>) -> Reply {
        self.post(app, &path_of(method), self.body(frames), headers).await
    }

    /// Frames as they travel.
    pub fn body(self, frames: &[u8]) -> Vec<u8> {
        match self {
            Self::Native | Self::Web(_) => frames.to_vec(),
            Self::WebText(_) => STANDARD.encode(frames).into_bytes(),
        }
    }

    /// Posts a body as it is.
    pub async fn post(self, app: &TestApp, path: &str, body: Vec<u8>, headers: Headers<'_>) -> Reply {
        let version = match self {
            Self::Native => Version::Http2,
            Self::Web(version) | Self::WebText(version) => version,
        };
        let marks: Headers<'_> = match self {
            Self::Native => &[("content-type", "application/grpc"), ("te", "trailers")],
            Self::Web(_) => &[("content-type", "application/grpc-web+proto"), ("x-grpc-web", "1")],
            Self::WebText(_) => &[("content-type", "application/grpc-web-text"), ("x-grpc-web", "1")],
        };
        let http = Http { address: app.address, version, tls: None };
        http.send(Method::POST, path, &[marks, headers].concat(), body).await
    }
}

impl Reply {
    /// What came of the call, on one line. A refusal is in the headers; what has none there and a body is a success.
    pub fn outcome(&self) -> String {
        if self.status != StatusCode::OK {
            return self.status.to_string();
        }
        match Status::from_header_map(&self.headers) {
            Some(status) => summary(&status),
            None if self.body.is_empty() => "nothing at all".to_owned(),
            None => "Ok".to_owned(),
        }
    }

    /// All that its receiver sees, but for what differs between any two answers.
    pub fn as_told(&self) -> (StatusCode, Vec<(String, Bytes)>, Bytes) {
        let told = self.headers.iter().filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()));
        let mut headers: Vec<_> =
            told.map(|(name, value)| (name.to_string(), Bytes::copy_from_slice(value.as_bytes()))).collect();
        headers.sort();
        (self.status, headers, self.body.clone())
    }
}

/// Bytes in a frame of theirs, whatever they are.
pub fn frame_of(message: &[u8]) -> Vec<u8> {
    [&[0], u32::try_from(message.len()).unwrap().to_be_bytes().as_slice(), message].concat()
}
