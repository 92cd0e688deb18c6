//! The dashboard and the alerts in `deploy/` ask for metrics that there are.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use super::{scrape, watched};
use crate::{
    architecture::root,
    support::{Engine, metrics::names_in},
};

fn read(file: &str) -> String {
    fs::read_to_string(root().join("deploy").join(file)).unwrap()
}

/// The queries of a dashboard.
fn queries(dashboard: &Value) -> Vec<&str> {
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    targets.map(|target| target["expr"].as_str().unwrap()).collect()
}

/// What each sample is called, without its labels.
async fn served() -> BTreeSet<String> {
    let app = watched(Engine::Sqlite, |_| {}).await;
    // Until somebody has called, there are no calls.
    app.signed_in("ada@example.com").await;
    let samples = scrape(&app).await.samples;
    samples.into_keys().map(|series| series.split('{').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_ask_for_what_there_is() {
    let served = served().await;
    let dashboard: Value = serde_json::from_str(&read("grafana/countersign.json")).unwrap();
    let queries = queries(&dashboard);
    assert!(queries.len() >= 15, "{}", queries.len());
    for text in queries {
        let asked = names_in(text);
        assert!(!asked.is_empty() && asked.is_subset(&served), "{text}");
    }
    let alerts = read("prometheus/alerts.yaml");
    let expressions: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert_eq!(expressions.len(), alerts.matches("- alert: ").count());
    assert!(expressions.len() >= 5);
    for text in expressions {
        let asked = names_in(text);
        assert!(!asked.is_empty() && asked.is_subset(&served), "{text}");
    }
}

/// And docs/operations.md lists every one, under the name that it has there.
#[tokio::test]
async fn every_metric_is_described() {
    let described = names_in(&fs::read_to_string(root().join("docs/operations.md")).unwrap());
    let served: BTreeSet<String> = served()
        .await
        .into_iter()
        .map(|name| {
            ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name).to_owned()
        })
        .filter(|name| name.starts_with("countersign_"))
        .collect();
    let missing: Vec<_> = served.difference(&described).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
