//! `[tokens]`, `[revocation]`, `[sessions]`, `[passwords]` and `[accounts]`: the rules of signing in.

use std::{num::NonZero, thread, time::Duration};

use super::{duration::MINUTE, reader::Reader};
use crate::{
    app::{Policy, Staleness},
    crypto::HashingSettings,
    domain::{LONGEST_ACCESS_LIFETIME, PasswordPolicy, SessionLifetimes},
    grpc::Origin,
};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);
const YEAR: Duration = Duration::from_hours(365 * 24);

/// Reads all of them but the cost of hashing, for the service at `public_url`.
pub(super) fn read(reader: &mut Reader, public_url: Option<&Origin>) -> Option<Policy> {
    let audience = reader.parse("tokens.audience", |text| {
        let is_plain = text.len() <= 200 && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_plain { Ok(text.to_owned()) } else { Err("must be at most 200 visible ASCII characters") }
    });
    let access_lifetime = reader.duration("tokens.access_lifetime", MINUTE..=LONGEST_ACCESS_LIFETIME);
    let sessions = read_lifetimes(reader);
    let max_sessions_per_user = reader.number("sessions.max_per_user", 1..=10_000);
    let step_up = reader.duration("sessions.step_up", MINUTE..=60 * MINUTE);
    let deletion_grace = reader.duration("accounts.deletion_grace", 60 * MINUTE..=YEAR);
    let min_code_points = reader.number("passwords.min_length", 8..=64);
    let require_verified_email = reader.switch("accounts.require_verified_email");
    let staleness = read_staleness(reader);
    let rotate_keys_every = reader.duration("keys.rotate_every", DAY..=YEAR);

    Some(Policy {
        issuer: public_url?.to_string(),
        audience: audience?,
        access_lifetime: access_lifetime?,
        sessions: sessions?,
        max_sessions_per_user: max_sessions_per_user?,
        step_up: step_up?,
        deletion_grace: deletion_grace?,
        passwords: PasswordPolicy { min_code_points: min_code_points? },
        require_verified_email: require_verified_email?,
        rotate_keys_every: rotate_keys_every?,
        staleness: staleness?,
    })
}

/// Reads `[revocation]`.
pub(super) fn read_staleness(reader: &mut Reader) -> Option<Staleness> {
    let after = reader.duration("revocation.stale_after", SECOND..=MINUTE);
    let then = reader.parse("revocation.on_stale", str::parse);
    Some(Staleness { after: after?, then: then? })
}

fn read_lifetimes(reader: &mut Reader) -> Option<SessionLifetimes> {
    let idle = reader.duration("sessions.idle", SECOND..=YEAR);
    let absolute = reader.duration("sessions.absolute", SECOND..=YEAR);
    let grace = reader.duration("sessions.grace", Duration::ZERO..=MINUTE);
    let (idle, absolute, grace) = (idle?, absolute?, grace?);
    if absolute < idle {
        reader.refuse("sessions.absolute", "must not be shorter than sessions.idle, which it bounds");
    }
    Some(SessionLifetimes { idle, absolute, grace })
}

/// Reads what hashing costs. The upper bounds are those up to which a stored hash is believed.
pub(super) fn read_hashing(reader: &mut Reader) -> Option<HashingSettings> {
    let memory_kib = reader.number("passwords.memory_kib", 8..=262_144_u32);
    let iterations = reader.number("passwords.iterations", 1..=10_u32);
    let lanes = reader.number("passwords.lanes", 1..=8_u32);
    let threads = reader.number("passwords.threads", 0..=256_usize);
    let queue = reader.number("passwords.queue", 1..=10_000);
    let max_wait = reader.duration("passwords.max_wait", Duration::from_millis(10)..=MINUTE);

    let (memory_kib, iterations, lanes) = (memory_kib?, iterations?, lanes?);
    if memory_kib < 8 * lanes {
        reader.refuse("passwords.memory_kib", "must be at least eight times passwords.lanes (RFC 9106)");
    }
    if reader.is_production() && !is_costly_enough(memory_kib, iterations) {
        let what = "makes guessing too cheap for production: with passwords.iterations at 1, 2, 3, 4 or 5 it must be at least 47104, 19456, 12288, 9216 or 7168 (OWASP)";
        reader.refuse("passwords.memory_kib", what);
    }
    let threads = match threads? {
        0 => thread::available_parallelism().map_or(1, NonZero::get).saturating_sub(1).max(1),
        chosen => chosen,
    };
    Some(HashingSettings { memory_kib, iterations, lanes, threads, queue: queue?, max_wait: max_wait? })
}

/// OWASP's Password Storage Cheat Sheet: pairs that cost an attacker the same.
fn is_costly_enough(memory_kib: u32, iterations: u32) -> bool {
    [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)]
        .iter()
        .any(|&(memory, passes)| memory_kib >= memory && iterations >= passes)
}
