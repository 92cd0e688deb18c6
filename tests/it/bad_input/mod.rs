//! Whatever is sent, its sender gets one of the few answers that say so, and nobody calls it a fault of the service.

mod frames;
mod messages;
mod strings;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Method;
use tonic::Status;

use crate::support::{
    TestApp,
    grpc::summary,
    http::{Headers, Http, Reply, Version},
};

/// How a call travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Native,
    Web(Version),
    WebText(Version),
}

impl Wire {
    const ALL: [Self; 5] = [
        Self::Native,
        Self::Web(Version::Http1),
        Self::Web(Version::Http2),
        Self::WebText(Version::Http1),
        Self::WebText(Version::Http2),
    ];

    /// Calls `AuthService` with these frames, whatever they are.
    async fn call(self, app: &TestApp, method: &str, frames: &[u8], headers: Headers<'_>) -> String {
        let path = format!("/countersign.v1.AuthService/{method}");
        self.post(app, &path, self.body(frames), headers).await
    }

    /// Frames as they travel.
    fn body(self, frames: &[u8]) -> Vec<u8> {
        match self {
            Self::Native | Self::Web(_) => frames.to_vec(),
            Self::WebText(_) => STANDARD.encode(frames).into_bytes(),
        }
    }

    /// Posts a body as it is, and says on one line what came of it.
    async fn post(self, app: &TestApp, path: &str, body: Vec<u8>, headers: Headers<'_>) -> String {
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
        outcome(&http.send(Method::POST, path, &[marks, headers].concat(), body).await)
    }
}

/// A refusal is in the headers; what has none there and a body is a success.
fn outcome(reply: &Reply) -> String {
    if reply.status != 200 {
        return reply.status.to_string();
    }
    match Status::from_header_map(&reply.headers) {
        Some(status) => summary(&status),
        None if reply.body.is_empty() => "nothing at all".to_owned(),
        None => "Ok".to_owned(),
    }
}

/// Bytes in a frame of theirs, whatever they are.
fn frame_of(message: &[u8]) -> Vec<u8> {
    [&[0], u32::try_from(message.len()).unwrap().to_be_bytes().as_slice(), message].concat()
}
