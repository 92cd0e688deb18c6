//! Turns settings into types, and goes on after a bad one so that the report is whole.

use std::{fmt::Display, fs, ops::RangeInclusive, path::PathBuf, str::FromStr, time::Duration};

use secrecy::{ExposeSecret, SecretString};

use super::{
    Place, Problem, Problems, Profile, duration,
    layers::Layers,
    setting::{Settings, Value},
};

/// Reads settings one by one. Whatever answers `None` where a value must be has noted why.
pub(super) struct Reader {
    profile: Profile,
    settings: Settings,
    problems: Vec<Problem>,
}

/// A secret, and which key it was found under.
pub(super) struct Secret {
    /// `section.key` or `section.key_file`.
    pub(super) key: String,
    /// What to keep to oneself.
    pub(super) text: SecretString,
}

impl Reader {
    /// A reader of what the sources came to.
    pub(super) fn new(layers: Layers) -> Self {
        Self { profile: layers.profile, settings: layers.settings, problems: layers.problems }
    }

    /// Whether what is not safe must be refused.
    pub(super) fn is_production(&self) -> bool {
        self.profile == Profile::Production
    }

    /// The whole, unless something was wrong.
    ///
    /// # Errors
    /// With all that was.
    pub(super) fn finish<T>(self, whole: Option<T>) -> Result<T, Problems> {
        match whole {
            Some(whole) if self.problems.is_empty() => Ok(whole),
            _ => Err(Problems(self.problems)),
        }
    }

    /// Notes that something is wrong with a setting.
    pub(super) fn refuse(&mut self, key: &str, what: impl Into<String>) {
        self.problems.push(Problem { place: self.place(key), key: key.to_owned(), what: what.into() });
    }

    fn place(&self, key: &str) -> Place {
        self.settings.get(key).map_or(Place::Default, |setting| setting.place.clone())
    }

    /// Whether something stands there.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.text(key).is_some()
    }

    fn text(&self, key: &str) -> Option<&str> {
        match &self.settings.get(key)?.value {
            Value::Text(text) => Some(text.expose_secret()).filter(|text| !text.is_empty()),
            Value::List(_) => None,
        }
    }

    /// What must be there and be readable by `read`.
    pub(super) fn parse<T, E: Display>(&mut self, key: &str, read: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let outcome = match self.text(key) {
            Some(text) => read(text).map_err(|e| e.to_string()),
            None => Err("is required".to_owned()),
        };
        outcome.map_err(|what| self.refuse(key, what)).ok()
    }

    /// A whole number.
    pub(super) fn number<T: FromStr + PartialOrd + Display>(
        &mut self,
        key: &str,
        range: RangeInclusive<T>,
    ) -> Option<T> {
        self.parse(key, |text| {
            let number = text.parse().ok().filter(|number| range.contains(number));
            number.ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// A length of time.
    pub(super) fn duration(&mut self, key: &str, range: RangeInclusive<Duration>) -> Option<Duration> {
        self.parse(key, |text| {
            duration::parse(text).filter(|duration| range.contains(duration)).ok_or_else(|| {
                let (least, most) = (duration::display(*range.start()), duration::display(*range.end()));
                format!("must be a duration from {least} to {most}, written like 250ms, 30s, 5m, 12h or 7d")
            })
        })
    }

    /// Yes or no.
    pub(super) fn switch(&mut self, key: &str) -> Option<bool> {
        self.parse(key, |text| text.parse().map_err(|_| "must be true or false"))
    }

    /// Any number of things; every bad one is noted.
    pub(super) fn list<T: FromStr<Err: Display>>(&mut self, key: &str) -> Option<Vec<T>> {
        let items = match &self.settings.get(key)?.value {
            Value::List(items) => items.as_slice(),
            Value::Text(_) => &[],
        };
        let read: Vec<Result<T, T::Err>> = items.iter().map(|item| item.parse()).collect();
        for (index, outcome) in read.iter().enumerate() {
            if let Err(e) = outcome {
                self.refuse(key, format!("item {} {e}", index + 1));
            }
        }
        read.into_iter().collect::<Result<_, _>>().ok()
    }

    /// A path that may be left out.
    pub(super) fn path(&mut self, key: &str) -> Option<PathBuf> {
        let path = self.text(key).map(PathBuf::from)?;
        if path.as_os_str().as_encoded_bytes().contains(&0) {
            self.refuse(key, "must be a path");
            return None;
        }
        Some(path)
    }

    /// A secret that may be left out: the text of `key`, or the contents of the file that `key_file` names.
    pub(super) fn secret(&mut self, key: &str) -> Option<Secret> {
        let file_key = format!("{key}_file");
        let (place, file_place) = (self.place(key), self.place(&file_key));
        let (plain, file) = (self.text(key), self.text(&file_key));
        if plain.is_some() && file.is_some() && place.is_beside(&file_place) {
            self.refuse(&file_key, format!("is set beside {key}: which one is meant? Remove the other"));
            return None;
        }
        // Otherwise a stronger source's word on the one is its word on the other.
        if let Some(text) = plain.filter(|_| file.is_none() || place > file_place) {
            return Some(Secret { key: key.to_owned(), text: SecretString::from(text) });
        }
        match fs::read_to_string(file?) {
            Ok(text) => {
                let line =
                    text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
                Some(Secret { text: SecretString::from(line), key: file_key })
            }
            Err(e) => {
                self.refuse(&file_key, format!("cannot be read: {e}"));
                None
            }
        }
    }
}
