//! The way to the upstream over TLS: to the one that a known authority vouches for, and to nobody else.

use countersign_client::{Feed, OnStale, Refusal, Verifier};

use super::{ADA, Edge, Origin, is_ready, until_ready};
use crate::support::{
    grpc::{login, sign_up},
    process::{Binary, in_time},
    tls::Tls,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_and_the_rust_client_follow_over_tls_whom_they_know() {
    let (tls, other) = (Tls::create(), Tls::create());
    let path = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    let binary = Binary::default()
        .patient()
        .with("COUNTERSIGN_SERVER__TLS_CERTIFICATE", path(tls.files().certificate))
        .with("COUNTERSIGN_SERVER__TLS_KEY", path(tls.files().key));
    let origin = Origin::with(binary).await;
    let url = origin.serving.url.replace("127.0.0.1", "localhost");
    assert!(url.starts_with("https://localhost:"), "{url}");
    let mut people = countersign::proto::auth_service_client::AuthServiceClient::new(tls.channel(&url).await);
    sign_up(&mut people, ADA).await;
    let token = login(&mut people, ADA).await.unwrap().tokens.unwrap().access_token;

    let with_roots = |tls: &Tls| origin.edge(&url).with("COUNTERSIGN_EDGE__ROOTS", path(tls.files().certificate));
    let mut edge = Edge::start(with_roots(&tls)).await;
    until_ready(&edge.serving).await;
    assert_eq!(edge.is_active(&origin.key, &token).await, Ok(true));
    for stranger in [with_roots(&other), origin.edge(&url)] {
        let mut edge = Edge::start(stranger).await;
        edge.serving.line("cannot hear what the upstream revokes").await;
        assert!(!is_ready(&edge.serving).await);
    }

    let verify = |authority: &Tls| {
        let feed = Feed::new(origin.key.expose()).url(&url).on_stale(OnStale::Deny);
        // The keys come with the feed.
        let builder = Verifier::builder("http://localhost:50051").keys_url("http://127.0.0.1:1/keys");
        builder.certificate_authority(authority.pem()).feed(feed).build().unwrap()
    };
    let (knows, stranger) = (verify(&tls), verify(&other));
    in_time(async { while knows.verify(&token).await.is_err() {} }).await;
    assert_eq!(stranger.verify(&token).await, Err(Refusal::KeysUnavailable));
    assert_eq!(stranger.revocations_age(), Some(std::time::Duration::MAX));
}
