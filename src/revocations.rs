//! What was ended within one access token's lifetime, in memory: so that a token that has not expired yet stops passing at
//! once, without a look into the database.

use std::{
    collections::HashMap,
    fmt,
    sync::{PoisonError, RwLock},
};

use crate::domain::{SessionId, Timestamp};

/// The ended sessions whose access tokens would still verify.
#[derive(Default)]
pub struct Revocations {
    ended: RwLock<HashMap<SessionId, Timestamp>>,
}

impl Revocations {
    /// Adds sessions that ended at the moment given with each. What is in stays in, whatever is added.
    pub fn add(&self, ended: impl IntoIterator<Item = (SessionId, Timestamp)>) {
        self.ended.write().unwrap_or_else(PoisonError::into_inner).extend(ended);
    }

    /// Whether a session has ended.
    #[must_use]
    pub fn contains(&self, session: SessionId) -> bool {
        self.ended.read().unwrap_or_else(PoisonError::into_inner).contains_key(&session)
    }

    /// Drops what ended before `moment`: no token of those sessions verifies any more.
    pub fn forget_before(&self, moment: Timestamp) {
        self.ended.write().unwrap_or_else(PoisonError::into_inner).retain(|_, at| *at >= moment);
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.ended.read().unwrap_or_else(PoisonError::into_inner).len();
        f.debug_struct("Revocations").field("count", &count).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_session_is_known_until_its_tokens_are_dead() {
        let revocations = Revocations::default();
        let (old, new) = (SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
        let at = Timestamp::from_unix_seconds;
        revocations.add([(old, at(10)), (new, at(20))]);
        assert!(revocations.contains(old) && revocations.contains(new));
        revocations.forget_before(at(20));
        assert!(!revocations.contains(old) && revocations.contains(new));
    }
}
