//! What other services are told about tokens, who is told, and that it costs the database nothing.

mod backends;
mod crowd;
mod verify;
mod watch;

use countersign::{
    domain::BackendKey,
    proto::{TokenClaims, VerifyTokenRequest, VerifyTokenResponse, token_service_client::TokenServiceClient},
};
use tonic::{Status, transport::Channel};

use crate::support::{TestApp, grpc::with_bearer};

pub type Tokens = TokenServiceClient<Channel>;

pub async fn connect(app: &TestApp) -> Tokens {
    TokenServiceClient::connect(app.url.clone()).await.unwrap()
}

/// The key of a service that may see tokens for these, known to the node.
pub async fn let_in(app: &TestApp, name: &str, audiences: &[&str]) -> BackendKey {
    let audiences = audiences.iter().map(|audience| audience.parse().unwrap()).collect();
    let key = app.app.create_backend(name.parse().unwrap(), audiences, false).await.unwrap().unwrap();
    app.app.pull_revocations().await.unwrap();
    key
}

pub fn ask(token: &str) -> VerifyTokenRequest {
    VerifyTokenRequest { token: token.to_owned(), audience: String::new(), strong: false }
}

pub async fn verify(
    client: &mut Tokens,
    key: &BackendKey,
    request: VerifyTokenRequest,
) -> Result<VerifyTokenResponse, Status> {
    Ok(client.verify_token(with_bearer(request, key.expose())).await?.into_inner())
}

/// What a service learns of a token.
pub async fn claims(client: &mut Tokens, key: &BackendKey, request: VerifyTokenRequest) -> Option<TokenClaims> {
    let status = verify(client, key, request).await.unwrap().status.unwrap();
    assert_eq!(status.active, status.claims.is_some());
    status.claims
}
