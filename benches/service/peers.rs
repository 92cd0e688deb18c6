//! What the service is compared with: servers that do nothing but what no service with these messages can do without.

use std::{path::Path, sync::Arc};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign::proto::{
    BatchVerifyTokensRequest, BatchVerifyTokensResponse, ListPublicKeysRequest, ListPublicKeysResponse, LoginRequest,
    LoginResponse, LogoutRequest, LogoutResponse, RefreshRequest, RefreshResponse, RequestPasswordResetRequest,
    RequestPasswordResetResponse, ResendVerificationRequest, ResendVerificationResponse, ResetPasswordRequest,
    ResetPasswordResponse, SignUpRequest, SignUpResponse, VerifyEmailRequest, VerifyEmailResponse, VerifyTokenRequest,
    VerifyTokenResponse, WatchRevocationsRequest, WatchRevocationsResponse, WhoAmIRequest, WhoAmIResponse,
    auth_service_server::{AuthService, AuthServiceServer},
    otlp::opentelemetry::proto::collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    token_service_server::{TokenService, TokenServiceServer},
};
use tokio::net::TcpListener;
use tokio_stream::{Empty, wrappers::TcpListenerStream};
use tonic::{Request, Response, Status, transport::Server};

use super::bare_sign_in::{self, SignIns};

/// The variables of the environment that make this program such a server: what it is to be, and where its answers lie.
pub const KIND: &str = "BENCH_PEER";
pub const ANSWERS: &str = "BENCH_PEER_ANSWERS";
/// Answers.
pub const ECHO: &str = "echo";
/// Signs in, and answers what lies in the file.
pub const SIGN_IN: &str = "sign-in";
/// Takes spans, and throws them away.
pub const COLLECTOR: &str = "collector";
/// Looks at the token's signature first, as the fastest library at hand does it.
pub const ECHO_AND_VERIFY: &str = "echo-and-verify";

/// Always the same answers, as large as the service's.
#[derive(Clone, Default)]
struct Peer {
    sign_ins: Option<Arc<SignIns>>,
    key: Option<Arc<UnparsedPublicKey<Vec<u8>>>>,
    who_am_i: WhoAmIResponse,
    verify_token: VerifyTokenResponse,
}

/// Serves for ever, with the answers and the key that lie in the file.
pub async fn serve(kind: &str, answers: &Path) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    eprintln!("listening on http://{}", listener.local_addr().unwrap());
    let incoming = TcpListenerStream::new(listener);
    if kind == COLLECTOR {
        let collector = Server::builder().add_service(TraceServiceServer::new(Collector));
        return collector.serve_with_incoming(incoming).await.unwrap();
    }
    if kind == SIGN_IN {
        let answer = prost::Message::decode(std::fs::read(answers).unwrap().as_slice()).unwrap();
        let sign_ins = SignIns::open(&std::env::var(bare_sign_in::DATABASE).unwrap(), answer).await;
        let peer = Peer { sign_ins: Some(sign_ins), ..Peer::default() };
        let server = Server::builder().add_service(AuthServiceServer::new(peer));
        return server.serve_with_incoming(incoming).await.unwrap();
    }
    let [who_am_i, verify_token, key] = super::fixture::read_answers(answers);
    let key = (kind == ECHO_AND_VERIFY).then(|| Arc::new(UnparsedPublicKey::new(&ED25519, key)));
    let peer = Peer {
        sign_ins: None,
        key,
        who_am_i: prost::Message::decode(who_am_i.as_slice()).unwrap(),
        verify_token: prost::Message::decode(verify_token.as_slice()).unwrap(),
    };
    Server::builder()
        .add_service(AuthServiceServer::new(peer.clone()))
        .add_service(TokenServiceServer::new(peer))
        .serve_with_incoming(incoming)
        .await
        .unwrap();
}

struct Collector;

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        _: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Peer {
    fn look_at(&self, token: Option<&str>) -> Result<(), Status> {
        let Some(key) = &self.key else { return Ok(()) };
        let token = token.and_then(|text| text.strip_prefix("v4.public.")).unwrap();
        let (message, footer) = token.split_once('.').unwrap();
        let (message, footer) = (URL_SAFE_NO_PAD.decode(message).unwrap(), URL_SAFE_NO_PAD.decode(footer).unwrap());
        let (payload, signature) = message.split_at(message.len() - 64);
        let parts: [&[u8]; 4] = [b"v4.public.", payload, &footer, b""];
        key.verify(&authenticated(parts), signature).map_err(|_| Status::unauthenticated(""))
    }
}

/// PASETO's pre-authentication encoding.
fn authenticated(parts: [&[u8]; 4]) -> Vec<u8> {
    let length = |bytes: usize| u64::try_from(bytes).unwrap().to_le_bytes();
    let mut all = length(parts.len()).to_vec();
    for part in parts {
        all.extend(length(part.len()));
        all.extend(part);
    }
    all
}

#[tonic::async_trait]
impl AuthService for Peer {
    async fn who_am_i(&self, request: Request<WhoAmIRequest>) -> Result<Response<WhoAmIResponse>, Status> {
        let header = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        self.look_at(header.and_then(|value| value.strip_prefix("Bearer ")))?;
        Ok(Response::new(self.who_am_i.clone()))
    }

    async fn sign_up(&self, _: Request<SignUpRequest>) -> Result<Response<SignUpResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn login(&self, request: Request<LoginRequest>) -> Result<Response<LoginResponse>, Status> {
        let sign_ins = self.sign_ins.as_ref().ok_or_else(|| Status::unimplemented(""))?;
        Ok(Response::new(sign_ins.sign_in(request.into_inner()).await))
    }

    async fn refresh(&self, _: Request<RefreshRequest>) -> Result<Response<RefreshResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn logout(&self, _: Request<LogoutRequest>) -> Result<Response<LogoutResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn verify_email(&self, _: Request<VerifyEmailRequest>) -> Result<Response<VerifyEmailResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn resend_verification(
        &self,
        _: Request<ResendVerificationRequest>,
    ) -> Result<Response<ResendVerificationResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn request_password_reset(
        &self,
        _: Request<RequestPasswordResetRequest>,
    ) -> Result<Response<RequestPasswordResetResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn reset_password(
        &self,
        _: Request<ResetPasswordRequest>,
    ) -> Result<Response<ResetPasswordResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

#[tonic::async_trait]
impl TokenService for Peer {
    type WatchRevocationsStream = Empty<Result<WatchRevocationsResponse, Status>>;

    async fn verify_token(
        &self,
        request: Request<VerifyTokenRequest>,
    ) -> Result<Response<VerifyTokenResponse>, Status> {
        self.look_at(Some(&request.get_ref().token))?;
        Ok(Response::new(self.verify_token.clone()))
    }

    async fn batch_verify_tokens(
        &self,
        _: Request<BatchVerifyTokensRequest>,
    ) -> Result<Response<BatchVerifyTokensResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_public_keys(
        &self,
        _: Request<ListPublicKeysRequest>,
    ) -> Result<Response<ListPublicKeysResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn watch_revocations(
        &self,
        _: Request<WatchRevocationsRequest>,
    ) -> Result<Response<Self::WatchRevocationsStream>, Status> {
        Err(Status::unimplemented(""))
    }
}
