//! Access tokens: PASETO `v4.public`, minted and verified by our own rules; the library's defaults are not a policy.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    CryptoError, Keyring,
    keyring::Verifying,
    signatures::{self, Untrusted, Verifier},
    verified_tokens::{Verified, VerifiedTokens},
};
use crate::domain::{AccessToken, Claims, KeyId, Role, Timestamp, UserEpoch};

/// How far two clocks may be apart.
const LEEWAY: Duration = Duration::from_secs(30);
/// Far more than any of ours; looked at before any decoding, which is where a longer one would cost.
const MAX_TOKEN_BYTES: usize = 4_096;
const MAX_FOOTER_BYTES: usize = 128;
const KIND: &str = "access";

/// Mints and verifies access tokens. Other keys make another one.
pub struct AccessTokens {
    keyring: Keyring,
    issuer: String,
    audience: String,
    /// Those whose signature was looked at, so that it is once.
    seen: VerifiedTokens,
}

/// Why a token does not pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// It is not one of ours, or not for us, or not yet.
    #[error("the token is not valid")]
    Invalid,
    /// It was good once.
    #[error("the token has expired")]
    Expired(Arc<Claims>),
    /// It names a key of ours that was revoked: whoever still has its secret half may have made it, or we.
    #[error("the token's key was revoked")]
    KeyRevoked,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Footer<'a> {
    kid: &'a str,
}

/// The claims as JSON; a struct refuses the same name twice, where a map would keep the last.
#[derive(Serialize, Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    iss: Cow<'a, str>,
    #[serde(borrow)]
    aud: Cow<'a, str>,
    #[serde(borrow)]
    sub: Cow<'a, str>,
    #[serde(borrow)]
    sid: Cow<'a, str>,
    uep: i64,
    #[serde(borrow)]
    jti: Cow<'a, str>,
    #[serde(borrow)]
    iat: Cow<'a, str>,
    #[serde(borrow)]
    nbf: Cow<'a, str>,
    #[serde(borrow)]
    exp: Cow<'a, str>,
    #[serde(borrow)]
    typ: Cow<'a, str>,
    roles: Vec<String>,
    #[serde(borrow)]
    auth_time: Cow<'a, str>,
    /// RFC 8176: how the person proved who they are.
    amr: Vec<String>,
    /// NIST SP 800-63B-4: the authentication assurance level, 1 for a password alone.
    aal: u8,
}

impl AccessTokens {
    /// Tokens of `issuer`, for `audience`.
    #[must_use]
    pub fn new(keyring: Keyring, issuer: &str, audience: &str) -> Self {
        Self { keyring, issuer: issuer.to_owned(), audience: audience.to_owned(), seen: VerifiedTokens::default() }
    }

    /// `iss` of the tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `aud` of the tokens.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Signs what `claims` say.
    ///
    /// # Errors
    /// When the library refuses what it never should, and where no key signs.
    pub fn mint(&self, claims: &Claims) -> Result<AccessToken, CryptoError> {
        let failed = || CryptoError::Failed { operation: "sign" };
        let key = self.keyring.active()?;
        let payload = Payload {
            iss: Cow::from(&self.issuer),
            aud: Cow::from(&self.audience),
            sub: claims.user.to_string().into(),
            sid: claims.session.to_string().into(),
            uep: claims.epoch.count(),
            jti: claims.id.to_string().into(),
            iat: rfc3339(claims.issued_at).ok_or_else(failed)?.into(),
            nbf: rfc3339(claims.issued_at).ok_or_else(failed)?.into(),
            exp: rfc3339(claims.expires_at).ok_or_else(failed)?.into(),
            typ: KIND.into(),
            roles: claims.roles.iter().map(ToString::to_string).collect(),
            auth_time: rfc3339(claims.authenticated_at).ok_or_else(failed)?.into(),
            amr: vec!["pwd".to_owned()],
            aal: 1,
        };
        let payload = serde_json::to_vec(&payload).map_err(|_| failed())?;
        let footer = written(&Footer { kid: key.id.as_str() }).ok_or_else(failed)?;
        Ok(AccessToken::from_text(signatures::sign(&key.secret, &payload, &footer)))
    }

    /// Reads a token and decides whether it counts at `now`. Says nothing of sessions that were ended meanwhile.
    ///
    /// # Errors
    /// [`TokenRefusal::Expired`] only for a token that is good in every other way.
    pub fn verify(&self, token: &AccessToken, now: Timestamp) -> Result<Arc<Claims>, TokenRefusal> {
        let text = token.expose();
        if text.len() > MAX_TOKEN_BYTES {
            return Err(TokenRefusal::Invalid);
        }
        let digest = VerifiedTokens::digest(text);
        let seen = self.seen.get(&digest);
        let verified = match &seen {
            // A key may have been revoked since its signature was looked at.
            Some(seen) => key(&self.keyring, seen.key.as_str(), now).map(|_| Arc::clone(seen))?,
            None => Arc::new(self.authentic(text, now)?),
        };
        if now + LEEWAY < verified.not_before {
            return Err(TokenRefusal::Invalid);
        }
        let claims = Arc::clone(&verified.claims);
        if now >= claims.expires_at + LEEWAY {
            self.seen.forget(&digest);
            return Err(TokenRefusal::Expired(claims));
        }
        if seen.is_none() {
            self.seen.put(digest, verified);
        }
        Ok(claims)
    }

    /// What a token says that one of our keys signed, in its one spelling, and that is for us.
    fn authentic(&self, text: &str, now: Timestamp) -> Result<Verified, TokenRefusal> {
        let invalid = || TokenRefusal::Invalid;
        let token = Untrusted::read(text).ok_or_else(invalid)?;
        let kid = key_named_by(token.footer()).ok_or_else(invalid)?;
        if !key(&self.keyring, kid, now)?.signed(&token) {
            return Err(invalid());
        }
        let payload = token.payload();
        // To serde, a list of values is a struct too.
        let payload = serde_json::from_slice(payload).ok().filter(|_| payload.starts_with(b"{"));
        let payload: Payload<'_> = payload.ok_or_else(invalid)?;
        let is_ours = payload.typ == KIND && payload.iss == self.issuer && payload.aud == self.audience;
        let not_before = timestamp(&payload.nbf).filter(|_| is_ours).ok_or_else(invalid)?;
        let claims = Arc::new(claims(&payload).ok_or_else(invalid)?);
        Ok(Verified { key: KeyId::from_paserk(kid.to_owned()), not_before, claims })
    }
}

/// The key of a name, if what it signed counts at `now`.
fn key<'a>(keyring: &'a Keyring, kid: &str, now: Timestamp) -> Result<&'a Verifier, TokenRefusal> {
    match keyring.verifying(kid, now) {
        Verifying::With(key) => Ok(key),
        Verifying::Revoked => Err(TokenRefusal::KeyRevoked),
        Verifying::Unknown => Err(TokenRefusal::Invalid),
    }
}

/// The `kid` in a footer, in its one spelling. It is believed for nothing but the choice among our own keys, before which no
/// signature is looked at.
fn key_named_by(footer: &[u8]) -> Option<&str> {
    if footer.len() > MAX_FOOTER_BYTES {
        return None;
    }
    let Footer { kid } = serde_json::from_slice(footer).ok()?;
    (footer == written(&Footer { kid })?.as_slice()).then_some(kid)
}

/// A footer in its one spelling.
fn written(footer: &Footer<'_>) -> Option<Vec<u8>> {
    serde_json::to_vec(footer).ok()
}

fn claims(payload: &Payload<'_>) -> Option<Claims> {
    Some(Claims {
        id: payload.jti.parse().ok()?,
        user: payload.sub.parse().ok()?,
        session: payload.sid.parse().ok()?,
        epoch: UserEpoch::from_count(payload.uep),
        roles: payload.roles.iter().map(|role| role.parse::<Role>().ok()).collect::<Option<_>>()?,
        authenticated_at: timestamp(&payload.auth_time)?,
        issued_at: timestamp(&payload.iat)?,
        expires_at: timestamp(&payload.exp)?,
    })
}

/// RFC 3339 in UTC, whole seconds, as PASETO's registered claims want it.
fn rfc3339(moment: Timestamp) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(moment.unix_seconds()).ok()?.format(&Rfc3339).ok()
}

/// A moment in its one spelling, so that every verifier reads the same out of it.
fn timestamp(text: &str) -> Option<Timestamp> {
    let moment = Timestamp::from_unix_seconds(OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp());
    // Ours have no fraction, and their year has four digits.
    let mut spelling = [0; "2026-11-29T18:30:00Z".len()];
    let written =
        OffsetDateTime::from_unix_timestamp(moment.unix_seconds()).ok()?.format_into(&mut &mut spelling[..], &Rfc3339);
    (written.is_ok_and(|length| &spelling[..length] == text.as_bytes())).then_some(moment)
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokens")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}
