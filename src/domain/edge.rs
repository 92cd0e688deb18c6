//! What an edge, a node without a database, has to be told beside what was revoked.

use super::{KeyId, PublicKeys, RegisteredBackend};

/// What an edge answers by, beside what was revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeState {
    /// The keys that verify.
    pub keys: PublicKeys,
    /// Those that verified once.
    pub revoked_keys: Vec<KeyId>,
    /// Whom the tokens are for.
    pub audience: String,
    /// The services that may ask.
    pub backends: Vec<RegisteredBackend>,
}
