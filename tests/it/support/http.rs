//! HTTP as it is: either version, with or without TLS, whatever headers; and gRPC-web frames on top.

use std::{net::SocketAddr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, rustls::ClientConfig};
use tonic::Status;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Http1,
    Http2,
}

/// Where and how to call. Each call has a connection of its own.
#[derive(Clone)]
pub struct Http {
    pub address: SocketAddr,
    pub version: Version,
    pub tls: Option<Arc<ClientConfig>>,
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

pub type Headers<'a> = &'a [(&'a str, &'a str)];

impl Http {
    pub async fn send(&self, method: Method, path: &str, headers: Headers<'_>, body: impl Into<Bytes>) -> Reply {
        let request = self.request(method, path, headers, body.into());
        let stream = TcpStream::connect(self.address).await.unwrap();
        // Else each call waits 40 ms for an acknowledgement that the kernel delays.
        stream.set_nodelay(true).unwrap();
        match &self.tls {
            None => self.send_on(stream, request).await,
            Some(config) => {
                let mut config = ClientConfig::clone(config);
                config.alpn_protocols = match self.version {
                    Version::Http1 => vec![b"http/1.1".to_vec()],
                    Version::Http2 => vec![b"h2".to_vec()],
                };
                let name = "localhost".try_into().unwrap();
                let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
                self.send_on(stream, request).await
            }
        }
    }

    fn request(&self, method: Method, path: &str, headers: Headers<'_>, body: Bytes) -> Request<Full<Bytes>> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        // Where it claims to go, which HTTP/2 says in `:authority`.
        let claimed = headers.iter().find(|(name, _)| *name == "host").map(|(_, value)| (*value).to_owned());
        let host = claimed.unwrap_or_else(|| self.address.to_string());
        let uri = match self.version {
            Version::Http1 => path.to_owned(),
            Version::Http2 => format!("{scheme}://{host}{path}"),
        };
        let mut request = Request::builder().method(method).uri(uri);
        if self.version == Version::Http1 {
            request = request.header("host", host);
        }
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
            request = request.header(*name, *value);
        }
        request.body(Full::new(body)).unwrap()
    }

    /// Whether a connection comes about at all.
    pub async fn connects(&self) -> bool {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let connector = TlsConnector::from(Arc::clone(self.tls.as_ref().unwrap()));
        connector.connect("localhost".try_into().unwrap(), stream).await.is_ok()
    }

    async fn send_on(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        request: Request<Full<Bytes>>,
    ) -> Reply {
        let io = TokioIo::new(stream);
        let response = match self.version {
            Version::Http1 => {
                let (mut sender, connection) = conn::http1::handshake(io).await.unwrap();
                tokio::spawn(connection);
                sender.send_request(request).await.unwrap()
            }
            Version::Http2 => {
                let (mut sender, connection) = conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
                tokio::spawn(connection);
                sender.send_request(request).await.unwrap()
            }
        };
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply { status: parts.status, headers: parts.headers, body }
    }
}

/// How gRPC-web writes its frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Binary,
    Text,
}

impl Encoding {
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Binary => "application/grpc-web+proto",
            Self::Text => "application/grpc-web-text",
        }
    }

    /// A message as a request's body.
    pub fn body(self, message: &impl Message) -> Vec<u8> {
        match self {
            Self::Binary => frame(message),
            Self::Text => STANDARD.encode(frame(message)).into_bytes(),
        }
    }
}

/// A message in its five-byte frame.
pub fn frame(message: &impl Message) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&[0], length.as_slice(), &bytes].concat()
}

/// Where a method is, of `AuthService` unless it names another.
pub fn path_of(method: &str) -> String {
    let service = if method.contains('/') { "" } else { "AuthService/" };
    format!("/countersign.v1.{service}{method}")
}

impl Http {
    /// Calls an RPC of `AuthService`, or `Service/Method`, over gRPC-web as a client library would, with these headers beside.
    pub async fn call<Response: Message + Default>(
        &self,
        encoding: Encoding,
        method: &str,
        message: &impl Message,
        headers: Headers<'_>,
    ) -> (Result<Response, Status>, HeaderMap) {
        let reply = self.post(encoding, method, message, headers).await;
        (reply.message(encoding), reply.headers)
    }

    /// The same, for the answer as it came.
    pub async fn post(&self, encoding: Encoding, method: &str, message: &impl Message, headers: Headers<'_>) -> Reply {
        let content_type = encoding.content_type();
        let all = [&[("content-type", content_type), ("accept", content_type), ("x-grpc-web", "1")], headers].concat();
        self.send(Method::POST, &path_of(method), &all, encoding.body(message)).await
    }
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Reads a gRPC-web answer, from the headers or from the frames.
    pub fn message<Response: Message + Default>(&self, encoding: Encoding) -> Result<Response, Status> {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        assert!(self.header("content-type").unwrap().starts_with(encoding.content_type()), "{self:?}");
        if let Some(status) = Status::from_header_map(&self.headers) {
            return Err(status);
        }
        let mut rest = self.frames(encoding);
        let (mut message, mut trailers) = (None, None);
        while !rest.is_empty() {
            let length = u32::from_be_bytes(rest[1..5].try_into().unwrap()) as usize;
            let content = rest[5..5 + length].to_vec();
            match rest[0] {
                0 => message = Some(Response::decode(content.as_slice()).unwrap()),
                0x80 => trailers = Some(String::from_utf8(content).unwrap()),
                flag => panic!("frame flag {flag}"),
            }
            rest.drain(..5 + length);
        }
        let trailers = trailers.expect("trailers");
        assert!(trailers.contains("grpc-status:0") || trailers.contains("grpc-status: 0"), "{trailers}");
        Ok(message.expect("a message"))
    }

    /// The body's frames, out of whatever they travelled in.
    pub fn frames(&self, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Binary => self.body.to_vec(),
            Encoding::Text => decode_parts(&self.body),
        }
    }
}

/// Base64 in parts, each padded for itself.
fn decode_parts(body: &[u8]) -> Vec<u8> {
    body.chunks(4).flat_map(|four| STANDARD.decode(four).unwrap()).collect()
}
