//! Who the callers of late were: bounded, so that no number of sessions takes the memory.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::Profile;
use crate::domain::SessionId;

/// About half a kilobyte each.
const CAPACITY: usize = 50_000;

pub(super) struct Profiles(Cache<SessionId, Arc<Profile>>);

impl Default for Profiles {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl Profiles {
    pub(super) fn get(&self, session: SessionId) -> Option<Arc<Profile>> {
        self.0.get(&session)
    }

    pub(super) fn put(&self, session: SessionId, profile: Arc<Profile>) {
        self.0.insert(session, profile);
    }

    pub(super) fn remove(&self, session: SessionId) {
        self.0.remove(&session);
    }
}
