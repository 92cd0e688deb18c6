//! Where metrics are, and where they are not.

use std::net::SocketAddr;

use http::{Method, StatusCode};

use super::watched;
use crate::{
    edge::{ADA, Origin},
    support::{
        Engine,
        http::{Http, Version},
        metrics::Scrape,
        process::{Binary, Serving},
    },
};

/// Where a process says that its metrics are.
async fn address(service: &mut Serving) -> SocketAddr {
    let line = service.line("metrics on http://").await;
    line.strip_prefix("metrics on http://").unwrap().strip_suffix("/metrics").unwrap().parse().unwrap()
}

#[tokio::test]
async fn each_port_has_its_own_and_nothing_of_the_other() {
    let app = watched(Engine::Sqlite, |_| {}).await;
    for version in [Version::Http1, Version::Http2] {
        let main = Http { address: app.address, version, tls: None };
        let unknown = main.send(Method::GET, "/metrics", &[], "").await;
        assert_eq!(unknown.status, main.send(Method::GET, "/nothing", &[], "").await.status);
        assert!(!String::from_utf8_lossy(&unknown.body).contains("countersign"), "{unknown:?}");

        let metrics = Http { address: app.metrics.unwrap(), version, tls: None };
        for path in ["/", "/healthz", "/readyz", "/verify", "/metrics/", "/.well-known/countersign/keys"] {
            assert_eq!(metrics.send(Method::GET, path, &[], "").await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let grpc = [("content-type", "application/grpc")];
        let call = metrics.send(Method::POST, "/countersign.v1.AuthService/Login", &grpc, vec![0; 5]).await;
        assert_ne!(call.header("content-type"), Some("application/grpc"), "{call:?}");
        assert_eq!(metrics.send(Method::POST, "/metrics", &[], "").await.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test]
async fn the_process_is_described_and_a_hangup_does_not_end_it() {
    let binary = Binary::default().with("COUNTERSIGN_METRICS__LISTEN", "127.0.0.1:0");
    let mut service = binary.serve().await;
    let address = address(&mut service).await;
    service.signal("HUP").await;
    let scrape = Scrape::of(address).await;
    for name in [
        "process_cpu_seconds_total",
        "process_start_time_seconds",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_max_fds",
    ] {
        assert!(scrape.samples[name] > 0.0, "{name}");
    }
    assert!(scrape.samples["process_resident_memory_bytes"] > 1e6);
    let build = format!("countersign_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert!((scrape.samples[&build] - 1.0).abs() < 1e-9);
    assert_eq!(service.stop().await.code, Some(0));
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let binary = Binary::default().with("COUNTERSIGN_METRICS__LISTEN", address.as_str());
    let output = binary.run(&["serve", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains(&format!("cannot listen on {address}")), "{output:?}");
}

#[tokio::test]
async fn an_edge_is_watched_too() {
    let origin = Origin::alone().await;
    let token = origin.signed_in(ADA).await;
    let mut edge = origin.filled_edge(|edge| edge.with("COUNTERSIGN_METRICS__LISTEN", "127.0.0.1:0")).await;
    let metrics = address(&mut edge.serving).await;
    assert_eq!(edge.verify(&token).await, 204);
    let scrape = Scrape::of(metrics).await;
    assert!((scrape.get("tokens_checked_total{outcome=\"ok\"}") - 1.0).abs() < 1e-9, "{}", scrape.text);
    assert!(scrape.get("revocations_age_seconds") < 60.0);
    assert!(!scrape.text.contains("countersign_outbox_letters{"), "it has no outbox");
}
