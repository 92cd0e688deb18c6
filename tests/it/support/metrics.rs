//! What Prometheus would read, as strictly as its parser: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use http::{Method, StatusCode};

use super::http::{Http, Version};

/// The samples of one scrape, by name and labels as they stand there.
pub struct Scrape {
    pub text: String,
    pub samples: BTreeMap<String, f64>,
}

impl Scrape {
    pub async fn of(address: SocketAddr) -> Self {
        let http = Http { address, version: Version::Http1, tls: None };
        let reply = http.send(Method::GET, "/metrics", &[], "").await;
        assert_eq!(reply.status, StatusCode::OK);
        let content_type = reply.header("content-type").unwrap();
        assert_eq!(content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
        Self::read(String::from_utf8(reply.body.to_vec()).unwrap())
    }

    /// Checks the text, and takes it apart.
    fn read(text: String) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("it ends with # EOF");
        let mut samples = BTreeMap::new();
        let mut families: BTreeMap<String, String> = BTreeMap::new();
        let (mut family, mut described) = (String::new(), BTreeSet::new());
        for line in body.lines() {
            if let Some(about) = line.strip_prefix("# ") {
                let parts: Vec<&str> = about.splitn(3, ' ').collect();
                let [keyword, name, rest] = parts[..] else { panic!("{line}") };
                match keyword {
                    "HELP" => assert!(described.insert(name.to_owned()) && !rest.is_empty(), "{line}"),
                    "TYPE" => {
                        assert!(["counter", "gauge", "histogram", "info"].contains(&rest), "{line}");
                        assert!(families.insert(name.to_owned(), rest.to_owned()).is_none(), "twice: {line}");
                        assert!(described.contains(name), "no help: {line}");
                        name.clone_into(&mut family);
                    }
                    "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "{line}"),
                    _ => panic!("{line}"),
                }
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            let suffixes: &[&str] = match families[&family].as_str() {
                "counter" => &["_total"],
                "histogram" => &["_bucket", "_sum", "_count"],
                "info" => &["_info"],
                _ => &[""],
            };
            assert!(suffixes.iter().any(|suffix| *name == format!("{family}{suffix}")), "{line} in {family}");
            let value: f64 = value.parse().unwrap();
            assert!(families[&family] == "gauge" || value >= 0.0, "{line}");
            assert!(samples.insert(series.to_owned(), value).is_none(), "twice: {line}");
        }
        let scrape = Self { text, samples };
        scrape.check_histograms();
        scrape
    }

    fn check_histograms(&self) {
        let mut last: BTreeMap<String, f64> = BTreeMap::new();
        // In the order of the text, where buckets rise.
        for line in self.text.lines().filter(|line| line.contains("_bucket{")) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once("_bucket{").unwrap();
            let others: Vec<&str> =
                labels.trim_end_matches('}').split(',').filter(|label| !label.starts_with("le=")).collect();
            let (others, value) = (others.join(","), value.parse::<f64>().unwrap());
            let before = last.insert(format!("{name}{{{others}}}"), value).unwrap_or_default();
            assert!(value >= before, "{line}");
            if labels.contains("le=\"+Inf\"") {
                let labels = if others.is_empty() { String::new() } else { format!("{{{others}}}") };
                let count = self.samples[&format!("{name}_count{labels}")];
                assert!((count - value).abs() < 1e-9, "{line}");
            }
        }
    }

    /// A sample, by its name without `countersign_` and its labels; zero when it is not there yet.
    pub fn get(&self, series: &str) -> f64 {
        self.samples.get(&format!("countersign_{series}")).copied().unwrap_or_default()
    }

    /// The values of every label, with its name.
    pub fn labels(&self) -> BTreeSet<(String, String)> {
        let lists = self.samples.keys().filter_map(|series| series.split_once('{')?.1.strip_suffix('}'));
        let pairs = lists.flat_map(|list| list.split(','));
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap();
                (name.to_owned(), value.trim_matches('"').to_owned())
            })
            .collect()
    }
}

/// The names of metrics that a text for Prometheus or Grafana asks for.
pub fn names_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = |word: &&str| word.starts_with("countersign_") || word.starts_with("process_");
    words.filter(ours).map(str::to_owned).collect()
}
