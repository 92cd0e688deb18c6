//! The public keys that verify tokens, as countersign publishes them.

mod http;
mod keeper;

use std::{collections::HashMap, fmt, sync::Arc, time::SystemTime};

use pasetors::{
    keys::AsymmetricPublicKey,
    paserk::{FormatAsPaserk as _, Id},
    version4::V4,
};
use serde::Deserialize;

pub(crate) use http::Endpoint;
#[cfg(feature = "feed")]
pub(crate) use http::roots;
pub(crate) use keeper::Keeper;

use crate::{Refusal, payload::moment};

/// A key and its end.
pub(crate) struct Key {
    pub(crate) public: AsymmetricPublicKey<V4>,
    not_after: Option<SystemTime>,
}

/// Keys by their PASERK ids.
pub(crate) struct Keys(HashMap<String, Arc<Key>>);

/// Why an answer is not a key set of ours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// It is something else.
    #[error("the key set cannot be read")]
    Json(#[from] serde_json::Error),
    /// Another service answers there, or the verifier expects the wrong issuer.
    #[error("the keys are those of {found:?}, not of {expected:?}")]
    Issuer {
        /// Whose tokens the verifier accepts.
        expected: String,
        /// Whose keys were found.
        found: String,
    },
    /// Nothing in it verifies a `v4.public` token.
    #[error("the key set has no usable key")]
    Empty,
}

#[derive(Deserialize)]
struct Published {
    issuer: String,
    keys: Vec<PublishedKey>,
}

#[derive(Deserialize)]
struct PublishedKey {
    kid: String,
    key: String,
    not_after: Option<String>,
}

impl Keys {
    /// Reads what is published for `issuer`. A key that is not `k4.public`, or not the one that its id is made of, is left
    /// out: what only other versions can use is no concern of ours.
    pub(crate) fn parse(json: &[u8], issuer: &str) -> Result<Self, KeySetError> {
        let published: Published = serde_json::from_slice(json)?;
        if published.issuer != issuer {
            return Err(KeySetError::Issuer { expected: issuer.to_owned(), found: published.issuer });
        }
        let listed = published.keys.into_iter().filter_map(|key| {
            let not_after = match key.not_after {
                Some(text) => Some(moment(&text)?),
                None => None,
            };
            Some((key.kid, key.key, not_after))
        });
        Self::of(listed)
    }

    /// Takes ids, keys as PASERK writes them, and their ends.
    fn of(listed: impl Iterator<Item = Listed>) -> Result<Self, KeySetError> {
        let keys: HashMap<_, _> = listed.filter_map(usable).collect();
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self(keys)) }
    }

    fn get(&self, kid: &str, now: SystemTime) -> Option<Arc<Key>> {
        self.0.get(kid).filter(|key| key.not_after.is_none_or(|end| now < end)).cloned()
    }
}

/// A key as it was published: its id, itself, and its end.
type Listed = (String, String, Option<SystemTime>);

fn usable((kid, key, not_after): Listed) -> Option<(String, Arc<Key>)> {
    let public = AsymmetricPublicKey::<V4>::try_from(key.as_str()).ok()?;
    let mut computed = String::new();
    Id::from(&public).fmt(&mut computed).ok()?;
    (computed == kid).then(|| (kid, Arc::new(Key { public, not_after })))
}

/// Where keys are looked for.
pub(crate) enum Source {
    Fixed(Keys),
    Fetched(Arc<Keeper>),
}

impl Source {
    /// The key of this id; `None` if there is none.
    pub(crate) async fn find(&self, kid: &str, now: SystemTime) -> Result<Option<Arc<Key>>, Refusal> {
        match self {
            Self::Fixed(keys) => Ok(keys.get(kid, now)),
            Self::Fetched(keeper) => keeper.find(kid).await,
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(keys) => f.debug_set().entries(keys.0.keys()).finish(),
            Self::Fetched(keeper) => keeper.fmt(f),
        }
    }
}
