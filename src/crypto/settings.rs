//! How costly a password hash is, and how many are made at once.

use std::time::Duration;

/// Argon2id's parameters (RFC 9106) and the gate in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashingSettings {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub iterations: u32,
    /// Lanes; computed one after the other.
    pub lanes: u32,
    /// Threads that hash, each keeping its memory.
    pub threads: usize,
    /// The most calls that wait for a thread.
    pub queue: usize,
    /// How long one of them waits.
    pub max_wait: Duration,
}

#[cfg(test)]
impl HashingSettings {
    /// As cheap as Argon2id can be.
    pub(super) const CHEAP: Self =
        Self { memory_kib: 32, iterations: 1, lanes: 1, threads: 2, queue: 3, max_wait: Duration::from_mins(1) };
}
