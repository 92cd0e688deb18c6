//! Fetches the keys over HTTP. Each question is a connection of its own, so a name that moved is followed.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{
    HeaderValue, Request, StatusCode, Uri,
    header::{ACCEPT, ETAG, IF_NONE_MATCH},
};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::time::{error::Elapsed, timeout};

use super::{KeySetError, Keys};
use crate::BuildError;

const TIMEOUT: Duration = Duration::from_secs(5);
/// Some hundreds of keys.
const LARGEST_SET: usize = 64 * 1_024;

#[cfg(feature = "tls")]
type Connector = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "tls"))]
type Connector = HttpConnector;

/// Where the keys are published.
pub(crate) struct Endpoint {
    url: Uri,
    client: Client<Connector, Empty<Bytes>>,
}

/// What was answered.
pub(crate) enum Answer {
    Keys { keys: Keys, etag: Option<HeaderValue> },
    Unchanged,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("the service cannot be reached")]
    Connect(#[from] hyper_util::client::legacy::Error),
    #[error("the service does not answer in time")]
    TimedOut(#[from] Elapsed),
    #[error("the answer has HTTP status {0}")]
    Status(StatusCode),
    #[error("the answer breaks off, or is too long")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Keys(#[from] KeySetError),
    #[error("the request cannot be written")]
    Request(#[from] http::Error),
}

impl Endpoint {
    /// Fetches from `url`. `certificates` are PEM, and trusted beside the public authorities.
    pub(crate) fn new(url: Uri, certificates: Option<&str>) -> Result<Self, BuildError> {
        // A redirect would name another place than the one that we were told to trust: none is followed.
        let client =
            Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector(&url, certificates)?);
        Ok(Self { url, client })
    }

    /// Asks for the keys, or whether they are still those of `etag`.
    pub(super) async fn fetch(&self, etag: Option<HeaderValue>, issuer: &str) -> Result<Answer, FetchError> {
        timeout(TIMEOUT, self.ask(etag, issuer)).await?
    }

    async fn ask(&self, etag: Option<HeaderValue>, issuer: &str) -> Result<Answer, FetchError> {
        let mut request = Request::get(&self.url).header(ACCEPT, "application/json").body(Empty::new())?;
        let is_known = etag.is_some();
        if let Some(etag) = etag {
            request.headers_mut().insert(IF_NONE_MATCH, etag);
        }
        let answer = self.client.request(request).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if is_known => return Ok(Answer::Unchanged),
            other => return Err(FetchError::Status(other)),
        }
        let etag = answer.headers().get(ETAG).cloned();
        let body = Limited::new(answer.into_body(), LARGEST_SET).collect().await.map_err(FetchError::Body)?;
        Ok(Answer::Keys { keys: Keys::parse(&body.to_bytes(), issuer)?, etag })
    }
}

#[cfg(feature = "tls")]
fn connector(_url: &Uri, certificates: Option<&str>) -> Result<Connector, BuildError> {
    use std::sync::Arc;

    use rustls::{ClientConfig, crypto::aws_lc_rs::default_provider};

    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| BuildError::Certificate(error.to_string()))?
        .with_root_certificates(roots(certificates)?)
        .with_no_client_auth();
    Ok(hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build())
}

/// The public authorities, and those of this PEM.
#[cfg(feature = "tls")]
pub(crate) fn roots(certificates: Option<&str>) -> Result<rustls::RootCertStore, BuildError> {
    use rustls::{
        RootCertStore,
        pki_types::{CertificateDer, pem::PemObject as _},
    };

    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = certificates {
        let public = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| BuildError::Certificate(error.to_string()))?;
            roots.add(certificate).map_err(|error| BuildError::Certificate(error.to_string()))?;
        }
        if roots.len() == public {
            return Err(BuildError::Certificate("there is none in this PEM".to_owned()));
        }
    }
    Ok(roots)
}

#[cfg(not(feature = "tls"))]
fn connector(url: &Uri, certificates: Option<&str>) -> Result<Connector, BuildError> {
    let needs_tls = certificates.is_some() || url.scheme() == Some(&http::uri::Scheme::HTTPS);
    if needs_tls { Err(BuildError::NoTls) } else { Ok(HttpConnector::new()) }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("url", &self.url).finish_non_exhaustive()
    }
}
