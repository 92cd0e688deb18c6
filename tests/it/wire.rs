//! Every RPC over every wire: native gRPC, gRPC-web and gRPC-web-text, HTTP/1.1 and HTTP/2, in the clear and over TLS.

use std::collections::BTreeSet;

use countersign::proto::{
    LoginRequest, LoginResponse, LogoutRequest, LogoutResponse, RefreshRequest, RefreshResponse, SignUpRequest,
    SignUpResponse, SignedIn, TokenDelivery, WhoAmIRequest, WhoAmIResponse, auth_service_client::AuthServiceClient,
    login_response::Outcome,
};
use http::{Method, StatusCode, uri::PathAndQuery};
use prost::Message;
use tonic::{Status, client::Grpc, transport::Channel};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt as _;

use crate::support::{
    CROSS_SITE_PAGE, PAGE, TestApp,
    grpc::{login, login_request, sign_up, sign_up_request, summary, with_bearer},
    http::{Encoding, Headers, Http, Reply, Version, frame},
    on_both_engines,
    tls::Listener,
};

/// How a client speaks.
enum Wire {
    Native(Channel),
    Web(Http, Encoding),
}

impl Wire {
    /// All five of a listener: native gRPC is HTTP/2 by definition.
    async fn all(listener: &Listener) -> [(String, Self); 5] {
        let web = |version, encoding| Self::Web(listener.http(version), encoding);
        let [tls, native] = [listener.tls.is_some(), true];
        let wires = [
            ("native", Self::Native(listener.channel().await)),
            ("web, HTTP/1.1", web(Version::Http1, Encoding::Binary)),
            ("web, HTTP/2", web(Version::Http2, Encoding::Binary)),
            ("web-text, HTTP/1.1", web(Version::Http1, Encoding::Text)),
            ("web-text, HTTP/2", web(Version::Http2, Encoding::Text)),
        ];
        let _ = native;
        wires.map(|(name, wire)| (format!("{name}, TLS: {tls}"), wire))
    }

    async fn call<Response: Message + Default + 'static>(
        &self,
        method: &str,
        message: impl Message + 'static,
        token: &str,
    ) -> Result<Response, Status> {
        match self {
            Self::Native(channel) => {
                let mut client = Grpc::new(channel.clone());
                client.ready().await.unwrap();
                let path: PathAndQuery = format!("/countersign.v1.AuthService/{method}").parse().unwrap();
                let request = with_bearer(message, token);
                client.unary(request, path, ProstCodec::default()).await.map(tonic::Response::into_inner)
            }
            Self::Web(http, encoding) => {
                http.call(*encoding, method, &message, &[("authorization", &format!("Bearer {token}"))]).await.0
            }
        }
    }
}
