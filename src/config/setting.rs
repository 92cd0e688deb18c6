//! One setting: what was written, and where.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::Place;

/// By `section.key`.
pub(super) type Settings = BTreeMap<String, Setting>;

/// What was written, and where.
pub(super) struct Setting {
    /// The value.
    pub(super) value: Value,
    /// Its place.
    pub(super) place: Place,
}

/// Numbers and booleans are texts too, as in the environment; held as secrets, since some are.
pub(super) enum Value {
    /// One.
    Text(SecretString),
    /// Any number of them; a comma-separated text where the environment sets it.
    List(Vec<String>),
}

impl Value {
    /// Whether it says no more than if it were not there.
    pub(super) fn is_unset(&self) -> bool {
        matches!(self, Self::Text(text) if text.expose_secret().is_empty())
    }

    /// The same, in the shape that the default has; `None` when a list stands where one value is wanted.
    pub(super) fn shaped_like(self, default: &Self) -> Option<Self> {
        match (self, default) {
            (Self::Text(text), Self::List(_)) => {
                let items = text.expose_secret().split(',').map(str::trim).filter(|item| !item.is_empty());
                Some(Self::List(items.map(ToOwned::to_owned).collect()))
            }
            (Self::List(_), Self::Text(_)) => None,
            (value, _) => Some(value),
        }
    }
}
