//! The service in the clear and over TLS, with a certificate of the test's own that its clients trust.

use std::{fs, sync::Arc};

use countersign::server::TlsFiles;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use tonic::transport::{Certificate, Channel, ClientTlsConfig};

use super::{
    Engine, Setup, TestApp,
    http::{Http, Version},
};

/// A certificate for `localhost`, in files that vanish with it.
pub struct Tls {
    folder: tempfile::TempDir,
    certificate: rcgen::Certificate,
}

impl Tls {
    pub fn create() -> Self {
        Self::of(&["localhost", "127.0.0.1"])
    }

    /// The same for other names.
    pub fn of(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let tls = Self { folder, certificate: made.cert };
        fs::write(tls.files().certificate, tls.certificate.pem()).unwrap();
        fs::write(tls.files().key, made.signing_key.serialize_pem()).unwrap();
        tls
    }

    pub fn files(&self) -> TlsFiles {
        TlsFiles { certificate: self.folder.path().join("certificate.pem"), key: self.folder.path().join("key.pem") }
    }

    /// The certificate in PEM, which vouches for itself.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// For tonic's own clients.
    pub async fn channel(&self, url: &str) -> Channel {
        let config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(self.pem())).domain_name("localhost");
        let endpoint = Channel::from_shared(url.to_owned()).unwrap().tls_config(config).unwrap();
        endpoint.connect().await.unwrap()
    }

    /// Trusts this certificate and no other.
    pub fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        // Named, as in the service: a second provider among the dependencies would make the default panic.
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    }
}

/// The service, and whether its port speaks TLS.
pub struct Listener {
    pub app: TestApp,
    pub tls: Option<Tls>,
}

impl Listener {
    /// One service in the clear, and another over TLS.
    pub async fn both(engine: Engine, change: impl Fn(&mut Setup)) -> [Self; 2] {
        let tls = Tls::create();
        let files = tls.files();
        // On the heap: the futures of a whole service are large.
        let plain = Box::pin(TestApp::with(engine, &change)).await;
        let secure = Box::pin(TestApp::with(engine, |setup| {
            setup.server.tls = Some(files);
            change(setup);
        }));
        [Self { app: plain, tls: None }, Self { app: secure.await, tls: Some(tls) }]
    }

    pub fn http(&self, version: Version) -> Http {
        Http { address: self.app.address, version, tls: self.tls.as_ref().map(Tls::client) }
    }

    /// Over HTTP/1.1 and HTTP/2.
    pub fn each_version(&self) -> [Http; 2] {
        [Version::Http1, Version::Http2].map(|version| self.http(version))
    }

    /// For tonic's own clients.
    pub async fn channel(&self) -> Channel {
        match &self.tls {
            Some(tls) => tls.channel(&self.app.url).await,
            None => Channel::from_shared(self.app.url.clone()).unwrap().connect().await.unwrap(),
        }
    }
}
