//! The configuration as an operator meets it.

mod data_dir;
mod defaults;
mod mail;
mod precedence;
mod refusals;
mod reports;

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use super::{Config, Flags, Problems, Sources, environment::variable};

/// A master key that nobody uses.
const KEY: &str = "cs_mk_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

/// The least that production asks for.
const PRODUCTION: [(&str, &str); 6] = [
    ("profile", "production"),
    ("server.public_url", "https://auth.example.com"),
    ("server.behind_proxy", "true"),
    ("browser.same_site_origins", "https://app.example.com"),
    ("keys.master_key", KEY),
    ("mail.transport", "none"),
];

/// A folder for files that are named in settings, and what is loaded with them.
struct Operator {
    folder: TempDir,
    sources: Sources,
}

impl Operator {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), sources: Sources::default() }
    }

    fn production() -> Self {
        Self::new().sets(&PRODUCTION)
    }

    /// In the environment.
    fn sets(mut self, settings: &[(&str, &str)]) -> Self {
        self.sources.environment.extend(settings.iter().map(|(key, value)| (variable(key).into(), (*value).into())));
        self
    }

    fn writes(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn writes_config(mut self, text: &str) -> Self {
        self.sources.file = Some(self.writes("countersign.toml", text));
        self
    }

    fn types(mut self, flags: Flags) -> Self {
        self.sources.flags = flags;
        self
    }

    fn loads(&self) -> Result<Config, Problems> {
        Config::load(&self.sources)
    }

    /// The report, without the folder's name, which differs each time.
    fn report(&self) -> String {
        let report = self.loads().expect_err("the configuration is refused").to_string();
        report.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

fn keys(problems: &Problems) -> Vec<&str> {
    problems.0.iter().map(|problem| problem.key.as_str()).collect()
}
