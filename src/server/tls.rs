//! The certificate, read again when it changes: it is renewed every few weeks, and no connection should break for it.

use std::{path::PathBuf, sync::Arc, time::Duration, time::SystemTime};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::{CryptoProvider, aws_lc_rs},
        pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
};

use super::settings::TlsFiles;

/// How often to look whether the files have changed.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Why there is no TLS, or no new certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file is not there, not ours to read, or longer than memory.
    #[error("cannot read {}: {why}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// It is not PEM, or holds something else.
    #[error("{} does not hold {what} in PEM: {why}", file.display())]
    Malformed {
        /// Which.
        file: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Why.
        why: pem::Error,
    },
    /// The two are no pair, or of a kind that cannot be used.
    #[error("cannot use the certificate in {} with the key in {}: {why}", files.certificate.display(), files.key.display())]
    Unusable {
        /// Which.
        files: TlsFiles,
        /// Why.
        why: rustls::Error,
    },
}

/// The certificate that the service shows, and where it comes from.
#[derive(Debug)]
pub(super) struct Certificate {
    files: TlsFiles,
    current: watch::Sender<Arc<CertifiedKey>>,
    first_read: Option<Stamp>,
}

/// What changes when the files do.
type Stamp = [(SystemTime, u64); 2];

impl Certificate {
    /// Reads the files for the first time.
    pub(super) async fn load(files: TlsFiles) -> Result<Self, TlsError> {
        // Before the files are read: what is written in between is then seen as a change.
        let first_read = stamp(&files).await;
        let current = watch::Sender::new(read(&files).await?);
        Ok(Self { files, current, first_read })
    }

    /// Reads the files again; on an error the certificate stays.
    async fn reload(&self) -> Result<(), TlsError> {
        self.current.send_replace(read(&self.files).await?);
        Ok(())
    }

    /// Reads the files again, for ever, when they change and on SIGHUP.
    pub(super) async fn watch(self: Arc<Self>) {
        let mut ticks = interval(LOOK_AGAIN);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut hangup = match signal(SignalKind::hangup()) {
            Ok(hangup) => hangup,
            Err(error) => {
                return tracing::error!(%error, "the certificate will not be read again: cannot listen for SIGHUP");
            }
        };
        let mut seen = self.first_read;
        loop {
            let asked = tokio::select! { _ = ticks.tick() => false, _ = hangup.recv() => true };
            let now = stamp(&self.files).await;
            if asked || now != seen {
                seen = now;
                match self.reload().await {
                    Ok(()) => tracing::info!("read the certificate again"),
                    Err(error) => tracing::error!(%error, "the certificate stays the old one"),
                }
            }
        }
    }

    /// Speaks TLS 1.2 and 1.3 with whatever certificate is current.
    pub(super) fn acceptor(self: Arc<Self>) -> Result<TlsAcceptor, TlsError> {
        let files = self.files.clone();
        // Named rather than taken from the process: a second provider in the dependencies would make that panic.
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|why| TlsError::Unusable { files, why })?
            .with_no_client_auth()
            .with_cert_resolver(self);
        // tonic's own TLS offers h2 only, which Node's fetch and other HTTP/1.1 clients of gRPC-web cannot speak.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.borrow()))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

async fn read(files: &TlsFiles) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&contents(&files.certificate).await?)
        .collect::<Result<_, _>>()
        .and_then(|chain: Vec<_>| if chain.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(chain) })
        .map_err(|why| TlsError::Malformed { file: files.certificate.clone(), what: "a certificate", why })?;
    let key = PrivateKeyDer::from_pem_slice(&contents(&files.key).await?).map_err(|why| TlsError::Malformed {
        file: files.key.clone(),
        what: "a private key",
        why,
    })?;
    // Compares the two as well: the one may be renewed while the other is still being written.
    let pair = CertifiedKey::from_der(chain, key, &provider())
        .map_err(|why| TlsError::Unusable { files: files.clone(), why })?;
    Ok(Arc::new(pair))
}

async fn contents(file: &PathBuf) -> Result<Vec<u8>, TlsError> {
    tokio::fs::read(file).await.map_err(|why| TlsError::Unreadable { file: file.clone(), why })
}

/// `None` while a file is not there, as in the middle of a renewal.
async fn stamp(files: &TlsFiles) -> Option<Stamp> {
    let certificate = tokio::fs::metadata(&files.certificate).await.ok()?;
    let key = tokio::fs::metadata(&files.key).await.ok()?;
    Some([(certificate.modified().ok()?, certificate.len()), (key.modified().ok()?, key.len())])
}
