//! Setting up an edge: what is wrong is told at once where it can be known, and plainly in the log where only the upstream can.

use std::fs;

use countersign::domain::{BackendId, BackendKey, BackendKeyParts};

use super::{ADA, Edge, Origin, is_ready, until_ready};
use crate::support::process::{Binary, Output, Serving};

/// The setting that each line of the report is about.
fn reported(output: &Output) -> Vec<&str> {
    assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output:?}");
    let mut lines = output.stderr.lines();
    assert_eq!(lines.next(), Some("error: the configuration is refused"), "{output:?}");
    lines.map(|line| line.trim_start().split(": ").nth(1).unwrap()).collect()
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once_and_without_a_secret() {
    let nothing = Binary::default().with("COUNTERSIGN_PROFILE", "production").run(&["edge"]).await;
    let missing = ["server.tls_certificate", "browser.same_site_origins", "edge.upstream", "edge.key"];
    assert_eq!(reported(&nothing), missing);

    let secret = "cs_bk_not_the_key_of_a_service";
    let wrong = Binary::default()
        .with("COUNTERSIGN_EDGE__KEY", secret)
        .with("COUNTERSIGN_EDGE__ROOTS", "roots.pem")
        .with("COUNTERSIGN_REVOCATION__STALE_AFTER", "soon");
    fs::write(wrong.folder.path().join("roots.pem"), "no certificate").unwrap();
    for upstream in ["auth.example.com", "ftp://auth.example.com", "http://auth.example.com"] {
        let output = wrong.run(&["edge", "--upstream", upstream]).await;
        assert_eq!(
            reported(&output),
            ["edge.key", "edge.upstream", "edge.roots", "revocation.stale_after"],
            "{output:?}"
        );
        assert!(output.stderr.contains("--upstream: edge.upstream: ") && !output.stderr.contains(secret), "{output:?}");
    }
    let trusted = wrong.with("COUNTERSIGN_EDGE__TRUST_PLAIN_HTTP", "true");
    let output = trusted.run(&["edge", "--upstream", "http://auth.example.com"]).await;
    assert_eq!(reported(&output), ["edge.key", "edge.roots", "revocation.stale_after"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_does_not_let_it_in_is_told_of_in_the_log() {
    let origin = Origin::alone().await;
    let made_up = BackendKey::from_parts(&BackendKeyParts { id: BackendId::from_bytes([7; 16]), secret: [9; 32] });
    let no_edge = origin.key.clone();
    for (key, told) in [
        (made_up, "the upstream refuses the key of this edge: see edge.key"),
        (no_edge, "the key of this edge is none of an edge's, or for other tokens: see `backend create --edge`"),
    ] {
        let binary = Binary::default().with("COUNTERSIGN_EDGE__KEY_FILE", "edge.key");
        fs::write(binary.folder.path().join("edge.key"), format!("{}\n", key.expose())).unwrap();
        let arguments = ["edge", "--listen", "127.0.0.1:0", "--upstream", &origin.serving.url];
        let mut serving = Serving::new(binary.start(&arguments)).await;
        serving.line(told).await;
        assert!(!is_ready(&serving).await);
        let ended = serving.stop().await;
        assert!(
            !ended.stderr.contains(&key.expose()[6..]) && !ended.stderr.contains(&origin.key.expose()[6..]),
            "{ended:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_that_is_shut_out_hears_nothing_more() {
    let origin = Origin::alone().await;
    let binary = origin.edge(&origin.serving.url).with("COUNTERSIGN_REVOCATION__STALE_AFTER", "1s");
    let mut edge = Edge::start(binary).await;
    until_ready(&edge.serving).await;
    let token = origin.signed_in(ADA).await;
    edge.until(&origin.key, &token, Ok(true)).await;
    origin.command(&["backend", "revoke", "--name", "edge"]).await;
    edge.serving.line("the upstream refuses the key of this edge").await;
    edge.until(&origin.key, &token, Err(tonic::Code::Unavailable)).await;
    assert!(!is_ready(&edge.serving).await);
}
