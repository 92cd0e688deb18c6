//! countersign's `TokenService`, called with this service's own key.

use std::time::Duration;

use http::uri::Scheme;
use tonic::{
    Request, Status, Streaming,
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

use crate::{
    BuildError,
    proto::{
        VerifyTokenRequest, WatchRevocationsRequest, WatchRevocationsResponse, token_service_client::TokenServiceClient,
    },
};

/// How long a question may take, and the beginning of an answer that goes on.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often a silent connection is asked whether it is still there.
const ALIVE: Duration = Duration::from_secs(10);

/// The service, and the key that lets us in.
pub(super) struct Service {
    endpoint: Endpoint,
    /// For questions, one connection that is made again when it fails.
    channel: Channel,
    key: MetadataValue<Ascii>,
}

impl Service {
    /// Where to call, over the way that `certificates` (PEM) vouch for beside the public authorities.
    pub(super) fn new(url: String, key: &str, certificates: Option<&str>) -> Result<Self, BuildError> {
        let mut key: MetadataValue<_> = format!("Bearer {key}").parse().map_err(|_| BuildError::BackendKey)?;
        key.set_sensitive(true);
        let endpoint = Endpoint::from_shared(url.clone()).map_err(|_| BuildError::KeysUrl { url })?;
        let endpoint = encrypted(endpoint, certificates)?
            .connect_timeout(TIMEOUT)
            .http2_keep_alive_interval(ALIVE)
            .keep_alive_timeout(TIMEOUT)
            .keep_alive_while_idle(true);
        Ok(Self { channel: endpoint.connect_lazy(), endpoint, key })
    }

    /// Begins to listen, on a connection of its own: a name that moved is followed.
    pub(super) async fn watch(
        &self,
        question: WatchRevocationsRequest,
    ) -> Result<Streaming<WatchRevocationsResponse>, Status> {
        let calling = async {
            let channel = self.endpoint.connect().await.map_err(|error| Status::from_error(error.into()))?;
            let request = self.request(question);
            Ok(TokenServiceClient::new(channel).watch_revocations(request).await?.into_inner())
        };
        let is_late = |_| Status::deadline_exceeded("the service does not answer in time");
        tokio::time::timeout(TIMEOUT, calling).await.map_err(is_late)?
    }

    /// Whether a token counts, as countersign knows it.
    pub(super) async fn is_active(&self, question: VerifyTokenRequest) -> Result<bool, Status> {
        let mut request = self.request(question);
        request.set_timeout(TIMEOUT);
        let answer = TokenServiceClient::new(self.channel.clone()).verify_token(request).await?;
        Ok(answer.into_inner().status.is_some_and(|status| status.active))
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.key.clone());
        request
    }
}

fn encrypted(endpoint: Endpoint, certificates: Option<&str>) -> Result<Endpoint, BuildError> {
    if endpoint.uri().scheme() != Some(&Scheme::HTTPS) {
        return Ok(endpoint);
    }
    let mut tls = ClientTlsConfig::new().with_webpki_roots();
    if let Some(pem) = certificates {
        tls = tls.ca_certificate(Certificate::from_pem(pem));
    }
    endpoint.tls_config(tls).map_err(|error| BuildError::Certificate(error.to_string()))
}
