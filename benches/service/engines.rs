//! Engines that hash by themselves.

use std::{
    thread,
    time::{Duration, Instant},
};

use argon2_rust::{Algorithm, Params, Version};

use super::{fixture::PASSWORD, load::Outcome, process::cpu_of_this_thread};

/// As many hashes at a time as the service has: one processor is left to who makes the calls.
pub const THREADS: usize = 1;
/// Of a hash that nobody keeps.
const SALT: &[u8] = b"0123456789abcdef";

/// An engine on as many threads, with its memory kept from hash to hash: what no sign-in can do without.
pub fn alone<H: FnMut()>(time: Duration, engine: impl Fn() -> H + Copy + Send + 'static) -> Outcome {
    let started = Instant::now();
    let hashing = move || {
        let mut hash = engine();
        let mut latencies = Vec::new();
        while started.elapsed() < time {
            let called = Instant::now();
            hash();
            latencies.push(called.elapsed());
        }
        (latencies, cpu_of_this_thread())
    };
    let threads: Vec<_> = (0..THREADS).map(|_| thread::spawn(hashing)).collect();
    let mut alone = Outcome { wall: time, ..Outcome::default() };
    for thread in threads {
        let (latencies, cpu) = thread.join().unwrap();
        alone.latencies.extend(latencies);
        alone.cpu += cpu;
    }
    alone
}

/// The service's own.
pub fn argon2_rust() -> impl FnMut() {
    let mut hasher = argon2_rust::Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default()).hasher();
    move || hasher.hash_into(PASSWORD.as_bytes(), SALT, &mut [0; 32]).unwrap()
}

/// Its oracle, with the same parameters.
pub fn rust_crypto() -> impl FnMut() {
    let engine = argon2::Argon2::default();
    let mut memory = vec![argon2::Block::default(); engine.params().block_count()];
    move || engine.hash_password_into_with_memory(PASSWORD.as_bytes(), SALT, &mut [0; 32], &mut memory).unwrap()
}
