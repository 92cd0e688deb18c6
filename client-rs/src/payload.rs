//! What a signed payload must say: a good signature alone lets nobody in.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{Claims, Refusal};

/// How far two clocks may be apart.
const LEEWAY: Duration = Duration::from_secs(30);
const KIND: &str = "access";
const LONGEST_ROLE: usize = 32;

/// What a token must be for.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) issuer: String,
    pub(crate) audience: String,
}

/// What a token says that is one of ours and for us, whenever it counts.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) claims: Claims,
    not_before: SystemTime,
}

/// The claims as JSON. A struct refuses the same name twice, where a map would keep the last.
#[derive(Deserialize)]
struct Payload {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    uep: i64,
    jti: String,
    iat: String,
    nbf: String,
    exp: String,
    typ: String,
    roles: Vec<String>,
    auth_time: String,
    amr: Vec<String>,
    aal: u8,
}

impl Verified {
    /// Reads an authentic payload; `None` if it is not what it must be.
    pub(crate) fn read(json: &str, expected: &Expected) -> Option<Self> {
        // To serde, a list of values is a struct too.
        let payload: Payload = serde_json::from_str(json).ok().filter(|_| json.starts_with('{'))?;
        let is_ours = payload.typ == KIND && payload.iss == expected.issuer && payload.aud == expected.audience;
        let is_plain = payload.roles.iter().all(|role| is_role(role));
        if !is_ours || !is_plain {
            return None;
        }
        let not_before = moment(&payload.nbf)?;
        let claims = Claims {
            user: payload.sub.parse().ok()?,
            session: payload.sid.parse().ok()?,
            token: payload.jti.parse().ok()?,
            epoch: payload.uep,
            roles: payload.roles,
            authenticated_at: moment(&payload.auth_time)?,
            methods: payload.amr,
            assurance: payload.aal,
            issued_at: moment(&payload.iat)?,
            expires_at: moment(&payload.exp)?,
        };
        Some(Self { claims, not_before })
    }

    /// Whether it counts at this moment.
    pub(crate) fn check(&self, now: SystemTime) -> Result<(), Refusal> {
        if self.not_before.duration_since(now).is_ok_and(|wait| wait > LEEWAY) {
            return Err(Refusal::Invalid);
        }
        match now.duration_since(self.claims.expires_at) {
            Ok(late) if late >= LEEWAY => Err(Refusal::Expired),
            _ => Ok(()),
        }
    }
}

/// 1 to 32 of `a-z 0-9 _ - .`, beginning with a letter.
fn is_role(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.".contains(&byte);
    text.len() <= LONGEST_ROLE
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(is_plain)
}

/// RFC 3339, down to the whole second.
pub(crate) fn moment(text: &str) -> Option<SystemTime> {
    let seconds = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    if seconds < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) }
}
