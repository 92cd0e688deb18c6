//! The countersign that an edge follows: what it tells, and what it answers.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use countersign_client::{
    BuildError, Ear, Follower, Upstream as Place,
    proto::{self, VerifyTokenRequest, revocation::Revoked, watch_revocations_response::Event},
};
use tonic::{Code, Status};

use crate::domain::{
    AccessToken, BackendDigest, BackendId, BackendKey, EdgeState, KeyId, KeyState, News, PublicKey, PublicKeys,
    RegisteredBackend, SessionId, Ticks, Timestamp, UserEpoch, UserId,
};

/// How to reach it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it is: `https://…`, or `http://…`.
    pub url: String,
    /// What lets the edge in.
    pub key: BackendKey,
    /// Certificates in PEM of those who vouch for it, beside the public authorities.
    pub roots: Option<String>,
    /// Whether `http://…` may lead to another machine.
    pub trust_plain_http: bool,
}

/// The countersign that an edge follows.
pub struct Upstream(Follower);

/// What it tells.
#[derive(Debug)]
pub enum Told {
    /// The edge answers by this from now on.
    State(EdgeState),
    /// This was revoked, and matters until then.
    Revoked(Vec<(News, Timestamp)>),
    /// Everything up to this place in the feed was told.
    UpTo(Vec<u8>),
    /// That it is there.
    Nothing,
}

/// Why an upstream cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum InvalidUpstream {
    /// That is no URL.
    #[error("must be a URL like https://auth.example.com")]
    Url,
    /// Whoever is on the way sees the key, and can put keys of their own there.
    #[error("is plain http to another machine: use https, or trust the way")]
    PlainHttp,
    /// Nobody is vouched for by it.
    #[error("holds no certificate in PEM that can be used")]
    Roots,
    /// Something else.
    #[error("the upstream cannot be called: {0}")]
    Other(String),
}

impl From<BuildError> for InvalidUpstream {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::KeysUrl { .. } => Self::Url,
            BuildError::PlainHttp { .. } => Self::PlainHttp,
            BuildError::Certificate(_) => Self::Roots,
            other => Self::Other(other.to_string()),
        }
    }
}

impl Settings {
    /// Whether it can be called.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check(&self) -> Result<(), InvalidUpstream> {
        Ok(self.place().check()?)
    }

    fn place(&self) -> Place {
        Place {
            url: self.url.clone(),
            backend_key: self.key.expose().to_owned(),
            certificate_authority: self.roots.clone(),
            trust_plain_http: self.trust_plain_http,
        }
    }
}

/// It gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the upstream does not answer: {code:?}: {message}")]
pub struct UpstreamError {
    code: Code,
    message: String,
}

impl Upstream {
    /// Calls nobody yet. Time passes by `ticks`.
    ///
    /// # Errors
    /// When a setting cannot be right.
    pub fn new(
        settings: &Settings,
        ticks: impl Fn() -> Ticks + Send + Sync + 'static,
    ) -> Result<Self, InvalidUpstream> {
        Ok(Self(Follower::new(&settings.place(), move || SystemTime::UNIX_EPOCH + ticks().since(ZERO))?))
    }

    /// Hands on for ever what it tells, with the moment until which everything was told by then; a line that breaks is replaced.
    pub async fn follow(&self, hear: impl FnMut(Told, Option<Ticks>) + Send) {
        self.0.follow(true, &mut Line { hear, knows_state: false, broke_with: None }).await;
    }

    /// Whether a token counts, as it finds in its database.
    ///
    /// # Errors
    /// When it does not say.
    pub async fn is_active(&self, token: &AccessToken, audience: String) -> Result<bool, UpstreamError> {
        let question = VerifyTokenRequest { token: token.expose().to_owned(), audience, strong: true };
        let unknown = |status: Status| UpstreamError { code: status.code(), message: status.message().to_owned() };
        self.0.is_active(question).await.map_err(unknown)
    }
}

const ZERO: Ticks = Ticks::from_duration(Duration::ZERO);

struct Line<F> {
    hear: F,
    knows_state: bool,
    /// Said once when it breaks and once when it holds again, not with each try.
    broke_with: Option<Code>,
}

impl<F: FnMut(Told, Option<Ticks>) + Send> Ear for Line<F> {
    fn hear(&mut self, event: Event, as_of: Option<SystemTime>) -> Result<(), Status> {
        self.knows_state |= matches!(event, Event::ForEdge(_));
        if !self.knows_state {
            return Err(Status::unimplemented("it is of a version that has no edges"));
        }
        if self.broke_with.take().is_some() {
            tracing::info!("hears the upstream again");
        }
        // What it knew before our time began is too old to count.
        let as_of = as_of.and_then(|as_of| as_of.duration_since(SystemTime::UNIX_EPOCH).ok());
        (self.hear)(told(event), as_of.map(Ticks::from_duration));
        Ok(())
    }

    fn lost(&mut self, why: &Status) {
        let (code, message) = (why.code(), why.message());
        if self.broke_with.replace(code) == Some(code) {
            return;
        }
        match code {
            Code::Unauthenticated => {
                tracing::error!(message, "the upstream refuses the key of this edge: see edge.key");
            }
            Code::PermissionDenied => {
                tracing::error!(
                    message,
                    "the key of this edge is none of an edge's, or for other tokens: see `backend create --edge`"
                );
            }
            _ => tracing::warn!(?code, message, "cannot hear what the upstream revokes"),
        }
    }
}

fn told(event: Event) -> Told {
    match event {
        Event::ForEdge(state) => Told::State(edge_state(state)),
        Event::Revocations(batch) => Told::Revoked(batch.revocations.into_iter().filter_map(revocation).collect()),
        Event::UpTo(reached) => Told::UpTo(reached.resume_token),
        Event::SnapshotBegins(_) | Event::Keys(_) | Event::Heartbeat(_) | Event::GoAway(_) => Told::Nothing,
    }
}

fn revocation(revocation: proto::Revocation) -> Option<(News, Timestamp)> {
    let news = match revocation.revoked? {
        Revoked::SessionId(id) => News::SessionEnded(SessionId::from_bytes(id.try_into().ok()?)),
        Revoked::UserEpoch(begun) => News::EpochBegan {
            user: UserId::from_bytes(begun.user_id.try_into().ok()?),
            epoch: UserEpoch::from_count(begun.epoch),
        },
    };
    // What has no end is kept for as long as there are years.
    Some((news, revocation.expires_at.and_then(timestamp).unwrap_or(END_OF_TIME)))
}

const END_OF_TIME: Timestamp = Timestamp::from_unix_seconds(253_402_300_799);

/// What of it can be read: a service or a key of which an edge does not know what to make is not there.
fn edge_state(state: proto::EdgeState) -> EdgeState {
    let proto::EdgeState { keys, revoked_key_ids, audience, backends } = state;
    let keys = keys.unwrap_or_default();
    EdgeState {
        keys: PublicKeys { issuer: keys.issuer, keys: keys.keys.into_iter().filter_map(public_key).collect() },
        revoked_keys: revoked_key_ids.into_iter().map(KeyId::from_paserk).collect(),
        audience,
        backends: backends.into_iter().filter_map(backend).collect(),
    }
}

fn public_key(key: proto::PublicKey) -> Option<PublicKey> {
    let state = match key.state() {
        proto::KeyState::Next => KeyState::Next,
        proto::KeyState::Active => KeyState::Active,
        proto::KeyState::Retired => KeyState::Retired,
        proto::KeyState::Unspecified => return None,
    };
    let not_after = match key.not_after {
        Some(end) => Some(timestamp(end)?),
        None => None,
    };
    let not_before = timestamp(key.not_before?)?;
    Some(PublicKey { id: KeyId::from_paserk(key.id), key: key.key, state, not_before, not_after })
}

fn backend(backend: proto::Backend) -> Option<RegisteredBackend> {
    let id = BackendId::from_bytes(backend.id.try_into().ok()?);
    Some(RegisteredBackend {
        id,
        name: backend.name.parse().ok()?,
        digest: BackendDigest::from_bytes(backend.digest.try_into().ok()?),
        audiences: backend.audiences.iter().map(|audience| audience.parse().ok()).collect::<Option<_>>()?,
        is_edge: backend.edge,
        created_at: id.made_at(),
        revoked_at: None,
    })
}

fn timestamp(at: impl TryInto<SystemTime>) -> Option<Timestamp> {
    let since = at.try_into().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_unix_millis(i64::try_from(since.as_millis()).ok()?))
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upstream")
    }
}
