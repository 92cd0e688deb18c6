//! Spans of calls at a collector: part of their callers' traces, without anything personal, and never in anybody's way.

use countersign::{proto::WhoAmIRequest, server::Traces};

use super::{scrape, watched};
use crate::support::{
    Engine, TestApp,
    collector::{Collector, Mood, attribute, hex},
    grpc::{login, sign_up, with_bearer},
    http::{Encoding, Http, Version},
    process::{Binary, in_time},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn traced(url: &str, one_in: u32) -> TestApp {
    watched(Engine::Sqlite, |setup| setup.server.traces = Some(Traces { collector: url.parse().unwrap(), one_in }))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_a_child_of_its_callers_span_over_grpc_and_grpc_web() {
    let collector = Collector::start(Mood::Takes).await;
    let app = traced(&collector.url(), 1).await;
    let mut client = app.client().await;
    sign_up(&mut client, "ada@example.com").await;
    let tokens = login(&mut client, "ada@example.com").await.unwrap().tokens.unwrap();
    let mut request = with_bearer(WhoAmIRequest {}, &tokens.access_token);
    request.metadata_mut().insert("traceparent", PARENT.parse().unwrap());
    let answer = client.who_am_i(request).await.unwrap();
    let first = answer.metadata().get("x-request-id").unwrap().to_str().unwrap().to_owned();
    let mut ids = vec![first];
    for (version, encoding) in [(Version::Http1, Encoding::Binary), (Version::Http2, Encoding::Text)] {
        let http = Http { address: app.address, version, tls: None };
        let headers = [("traceparent", PARENT), ("user-agent", "canary-agent")];
        let reply = http.post(encoding, "WhoAmI", &WhoAmIRequest {}, &headers).await;
        ids.push(reply.header("x-request-id").unwrap().to_owned());
    }
    // The same, for nobody: its caller does not want to know.
    let mut untold = with_bearer(WhoAmIRequest {}, &tokens.access_token);
    untold.metadata_mut().insert("traceparent", PARENT.replace("-01", "-00").parse().unwrap());
    client.who_am_i(untold).await.unwrap();
    app.stop().await;

    let spans = collector.spans();
    let (children, roots): (Vec<_>, Vec<_>) = spans.iter().partition(|span| !span.parent_span_id.is_empty());
    assert_eq!((children.len(), roots.len()), (3, 2), "flushed at the end, each once: {spans:?}");
    for (span, code) in children.iter().zip(["0", "16", "16"]) {
        assert_eq!((hex(&span.trace_id).as_str(), hex(&span.parent_span_id).as_str()), (TRACE, SPAN));
        assert_eq!(span.name, "countersign.v1.AuthService/WhoAmI");
        assert_eq!(span.kind, 2, "a server's");
        assert!(
            span.end_time_unix_nano >= span.start_time_unix_nano
                && span.start_time_unix_nano > 1_600_000_000_000_000_000
        );
        for (key, value) in
            [("rpc.system", "grpc"), ("rpc.service", "countersign.v1.AuthService"), ("rpc.method", "WhoAmI")]
        {
            assert_eq!(attribute(span, key).as_deref(), Some(value));
        }
        assert_eq!(attribute(span, "rpc.grpc.status_code").as_deref(), Some(code));
        assert!(ids.contains(&attribute(span, "countersign.request_id").unwrap()));
        assert_eq!(span.attributes.len(), 5);
    }
    assert!(roots.iter().all(|span| hex(&span.trace_id) != TRACE && span.span_id != [0; 8]));
    let distinct: std::collections::BTreeSet<_> = spans.iter().map(|span| &span.span_id).collect();
    assert_eq!(distinct.len(), spans.len());
    let text = collector.text();
    for part in ["@", "canary", "127.0.0.1", "v4.public", "example", tokens.access_token.as_str()] {
        assert!(!text.contains(part), "{part}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_traces_that_begin_here_some_are_told_of() {
    let collector = Collector::start(Mood::Takes).await;
    let app = traced(&collector.url(), 8).await;
    let mut client = app.client().await;
    for _ in 0..400 {
        client.who_am_i(WhoAmIRequest {}).await.unwrap_err();
    }
    app.stop().await;
    // 50, and with a chance of one in 10^9 none or three times as many.
    assert!((5..150).contains(&collector.spans().len()), "{}", collector.spans().len());
}

/// Twice what the queue holds: some are dropped and all are counted, and no call is held up or fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_fails_hangs_or_is_not_there_is_in_nobodys_way() {
    for mood in [Some(Mood::Hangs), Some(Mood::Refuses), None] {
        let collector = Collector::start(mood.unwrap_or(Mood::Takes)).await;
        let url = collector.url();
        let kept = mood.map(|_| collector);
        let app = traced(&url, 1).await;
        let mut client = app.client().await;
        in_time(async {
            for _ in 0..3_000 {
                client.who_am_i(WhoAmIRequest {}).await.unwrap_err();
            }
        })
        .await;
        let dropped = async { while scrape(&app).await.get("spans_total{outcome=\"dropped\"}") < 100.0 {} };
        in_time(dropped).await;
        assert!(scrape(&app).await.get("spans_total{outcome=\"exported\"}") < 1.0);
        if let Some(collector) = kept {
            assert!(collector.asked() >= 1, "{mood:?}");
        }
        // Bounded, although nobody takes what is left.
        in_time(app.stop()).await;
    }
}

/// The trace is named in the log, and the collector's own words are not.
#[tokio::test]
async fn the_log_names_the_trace() {
    let collector = Collector::start(Mood::Refuses).await;
    let binary = Binary::default()
        .with("COUNTERSIGN_TELEMETRY__OTLP_ENDPOINT", collector.url())
        .with("COUNTERSIGN_LOG__FORMAT", "json");
    let mut service = binary.serve().await;
    let http = Http { address: service.address, version: Version::Http1, tls: None };
    http.post(Encoding::Binary, "WhoAmI", &WhoAmIRequest {}, &[("traceparent", PARENT)]).await;
    let line = service.line("\"answered\"").await;
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["span"]["trace_id"], TRACE, "{line}");
    assert_eq!(line["spans"][0]["trace_id"], TRACE, "{line}");
    service.line("the collector takes no spans").await;
    let ended = service.stop().await;
    assert!(!ended.stderr.contains("canary-collector"), "{}", ended.stderr);
}

#[tokio::test]
async fn nobody_is_told_unless_a_collector_is_named() {
    let app = watched(Engine::Sqlite, |_| {}).await;
    app.signed_in("ada@example.com").await;
    let scrape = scrape(&app).await;
    assert!(scrape.get("spans_total{outcome=\"exported\"}") + scrape.get("spans_total{outcome=\"dropped\"}") < 1.0);
}
