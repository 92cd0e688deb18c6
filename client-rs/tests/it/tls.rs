//! Keys over https: from the service that a known authority vouches for, and from nobody else.

use std::fs;

use countersign_client::{Refusal, Verifier};

use crate::support::{Forge, ISSUER, Service, forge::good};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_authority_that_is_known_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let path = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    let settings =
        vec![("COUNTERSIGN_SERVER__TLS_CERTIFICATE", path(certificate)), ("COUNTERSIGN_SERVER__TLS_KEY", path(key))];
    let service = Service::with(&[], settings).await;
    assert!(service.url.starts_with("https://"), "{}", service.url);
    // Signed by nobody whom it knows: with the keys it is refused for that, without them nobody can tell.
    let token = Forge::default().sign(&good());
    let verify = async |authority: Option<&str>, url: &str| {
        let mut builder = Verifier::builder(ISSUER).keys_url(url);
        if let Some(pem) = authority {
            builder = builder.certificate_authority(pem);
        }
        builder.build().unwrap().verify(&token).await.unwrap_err()
    };
    let url = service.keys_url();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    assert_eq!(verify(Some(&made.cert.pem()), &url).await, Refusal::Invalid);
    assert_eq!(verify(Some(&made.cert.pem()), &url.replace("127.0.0.1", "localhost")).await, Refusal::Invalid);
    assert_eq!(verify(Some(&(other.cert.pem() + &made.cert.pem())), &url).await, Refusal::Invalid);
    assert_eq!(verify(None, &url).await, Refusal::KeysUnavailable);
    assert_eq!(verify(Some(&other.cert.pem()), &url).await, Refusal::KeysUnavailable);
    let elsewhere = url.replace("127.0.0.1", "127.0.0.2");
    assert_eq!(verify(Some(&made.cert.pem()), &elsewhere).await, Refusal::KeysUnavailable);
    assert_eq!(verify(None, &url.replace("https", "http")).await, Refusal::KeysUnavailable);
}
