//! Lays the sources over each other: flags over environment over file over what the profile and the defaults say.

use std::{fs, path::Path};

use secrecy::{ExposeSecret, SecretString};

use super::{
    Place, Problem, Problems, Profile, Sources, document, environment,
    setting::{Setting, Settings, Value},
    suggestion::suggest,
};

/// Every setting there is, with its default: what is not in it is unknown.
pub(super) const DEFAULTS: &str = include_str!("default.toml");

/// What the development profile sets in place of a default.
pub(super) const DEVELOPMENT: &str = include_str!("development.toml");

/// What the sources come to.
pub(super) struct Layers {
    /// Which defaults hold.
    pub(super) profile: Profile,
    /// Every setting there is.
    pub(super) settings: Settings,
    /// What was wrong so far.
    pub(super) problems: Vec<Problem>,
}

/// Reads all sources.
///
/// # Errors
/// When the file cannot be read at all: without it, whatever else could be said would be a guess.
pub(super) fn gather(sources: &Sources) -> Result<Layers, Problems> {
    let mut given = Given { defaults: built_in(DEFAULTS), settings: Settings::new(), problems: Vec::new() };
    // From the weakest to the strongest: what comes later replaces what was there.
    if let Some(path) = &sources.file {
        given.add_file(path)?;
    }
    given.add_environment(sources);
    given.add_flags(sources);

    let Given { defaults, settings: given, problems } = given;
    let profile = profile(&given).or_else(|| profile(&defaults)).unwrap_or(Profile::Development);
    let mut settings = defaults;
    if profile == Profile::Development {
        settings.extend(built_in(DEVELOPMENT));
    }
    settings.extend(given);
    Ok(Layers { profile, settings, problems })
}

/// The profile, if it is there and is one: which defaults hold must be known before anything else is.
fn profile(settings: &Settings) -> Option<Profile> {
    match &settings.get("profile")?.value {
        Value::Text(text) => text.expose_secret().parse().ok(),
        Value::List(_) => None,
    }
}

/// The settings of an embedded file, which a test knows to be in order.
fn built_in(text: &str) -> Settings {
    let entries = document::parse(text).entries.into_iter();
    entries.filter_map(|entry| Some((entry.key, Setting { value: entry.value?, place: Place::Default }))).collect()
}

/// What the operator says.
struct Given {
    defaults: Settings,
    settings: Settings,
    problems: Vec<Problem>,
}

impl Given {
    fn add_file(&mut self, path: &Path) -> Result<(), Problems> {
        let text = fs::read_to_string(path).map_err(|e| {
            let what = format!("cannot be read: {e}");
            Problems(vec![Problem { place: Place::Flag("--config"), key: path.display().to_string(), what }])
        })?;
        let place = |line| Place::File { path: path.to_owned(), line };
        let document = document::parse(&text);
        if !document.errors.is_empty() {
            let broken =
                |(line, what)| Problem { place: place(line), key: String::new(), what: format!("is not TOML: {what}") };
            return Err(Problems(document.errors.into_iter().map(broken).collect()));
        }
        for entry in document.entries {
            match entry.value {
                _ if !self.defaults.contains_key(&entry.key) => self.refuse_unknown(&entry.key, place(entry.line)),
                Some(value) => self.add(&entry.key, value, place(entry.line)),
                None => {
                    let what = "must be a text, a whole number, true, false, or a list of texts".to_owned();
                    self.problems.push(Problem { place: place(entry.line), key: entry.key, what });
                }
            }
        }
        Ok(())
    }

    fn add_environment(&mut self, sources: &Sources) {
        for (name, value) in &sources.environment {
            let name = name.to_string_lossy();
            if !environment::is_ours(&name, &value.to_string_lossy()) {
                continue;
            }
            let place = Place::Variable(name.clone().into_owned());
            let key = self.defaults.keys().find(|key| environment::variable(key) == name).cloned();
            match (key, value.to_str()) {
                (Some(key), Some(value)) => self.add(&key, Value::Text(SecretString::from(value)), place),
                (Some(key), None) => self.problems.push(Problem { place, key, what: "is not UTF-8".to_owned() }),
                (None, _) => {
                    let names: Vec<_> = self.defaults.keys().map(|key| environment::variable(key)).collect();
                    let what = unknown(suggest(&name, names.iter().map(String::as_str)));
                    self.problems.push(Problem { place, key: String::new(), what });
                }
            }
        }
    }

    fn add_flags(&mut self, sources: &Sources) {
        let flags = &sources.flags;
        let plain = |text: &Option<String>| text.as_deref().map(SecretString::from);
        for (name, key, value) in [
            ("--listen", "server.listen", plain(&flags.listen)),
            ("--database-url", "database.url", flags.database_url.clone()),
            ("--data-dir", "database.data_dir", plain(&flags.data_dir)),
            ("--upstream", "edge.upstream", plain(&flags.upstream)),
        ] {
            if let Some(value) = value {
                self.add(key, Value::Text(value), Place::Flag(name));
            }
        }
    }

    fn add(&mut self, key: &str, value: Value, place: Place) {
        let Some(default) = self.defaults.get(key) else { return };
        match value.shaped_like(&default.value) {
            Some(value) if value.is_unset() => {}
            Some(value) => {
                self.settings.insert(key.to_owned(), Setting { value, place });
            }
            None => self.problems.push(Problem {
                place,
                key: key.to_owned(),
                what: "must be one value, not a list".to_owned(),
            }),
        }
    }

    fn refuse_unknown(&mut self, key: &str, place: Place) {
        let what = unknown(suggest(key, self.defaults.keys().map(String::as_str)));
        self.problems.push(Problem { place, key: key.to_owned(), what });
    }
}

fn unknown(meant: Option<&str>) -> String {
    match meant {
        Some(name) => format!("is not a setting; did you mean {name}?"),
        None => "is not a setting; `countersign check-config --print-defaults` lists them".to_owned(),
    }
}
