//! What a route asks of those who are signed in.

use std::time::{Duration, SystemTime};

use super::denial::Denial;
use crate::Claims;

/// What a route asks; by default, to be signed in.
#[derive(Debug, Clone, Default)]
pub(super) struct Demands {
    pub(super) roles: Vec<String>,
    pub(super) max_age: Option<Duration>,
    pub(super) optional: bool,
}

impl Demands {
    /// Decides on a request without a token. Whatever is asked for, nobody does not have it.
    pub(super) fn admit_nobody(&self) -> Result<(), Denial> {
        let asks_nothing = self.roles.is_empty() && self.max_age.is_none();
        if self.optional && asks_nothing { Ok(()) } else { Err(Denial::NotSignedIn) }
    }

    /// Decides on a request of somebody known. What signing in again would not give comes first.
    pub(super) fn admit(&self, claims: &Claims, now: SystemTime) -> Result<(), Denial> {
        if let Some(role) = self.roles.iter().find(|role| !claims.has_role(role)) {
            return Err(Denial::Forbidden { role: role.clone() });
        }
        match self.max_age {
            // A moment to come is one that our clock has not reached yet.
            Some(max_age) if now.duration_since(claims.authenticated_at).is_ok_and(|age| age > max_age) => {
                Err(Denial::StepUp { max_age })
            }
            _ => Ok(()),
        }
    }
}
