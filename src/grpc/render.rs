//! From outcomes to messages and cookies.

use std::time::Duration;

use tonic::Response;

use super::{cookies, parse::Delivery};
use crate::{
    app::{self, Verifier, WatchEvent},
    domain::{
        Device, EdgeState, KeyState, News, PublicKey, PublicKeys, RegisteredBackend, Role, Session, SessionState,
        Timestamp, User,
    },
    proto::{self, revocation::Revoked, watch_revocations_response::Event},
};

/// Answers with an open session. In cookie mode no token is in the message.
pub(super) fn signed_in<T>(
    outcome: &app::SignedIn,
    delivery: Delivery,
    wrap: impl FnOnce(proto::SignedIn) -> T,
) -> Response<T> {
    let app::SignedIn { user: person, session: opened, tokens } = outcome;
    let body = match delivery {
        Delivery::Body => Some(proto::Tokens {
            access_token: tokens.access.expose().to_owned(),
            refresh_token: tokens.refresh.expose().to_owned(),
            access_expires_at: Some(timestamp(tokens.access_expires_at)),
            refresh_expires_at: Some(timestamp(tokens.refresh_expires_at)),
            device_token: tokens.device.as_ref().map(|device| device.expose().to_owned()),
        }),
        Delivery::Cookie(_) => None,
    };
    let message = proto::SignedIn { user: Some(user(person)), session: Some(session(opened)), tokens: body };
    let mut response = Response::new(wrap(message));
    if let Delivery::Cookie(profile) = delivery {
        let max_age = tokens.refresh_lifetime;
        let (access, refresh) = (tokens.access.expose(), tokens.refresh.expose());
        cookies::set(response.metadata_mut(), profile, access, refresh, max_age);
        if let Some(device) = &tokens.device {
            cookies::remember(response.metadata_mut(), profile, device.expose());
        }
    }
    response
}

pub(super) fn user(user: &User) -> proto::User {
    proto::User {
        id: user.id.to_string(),
        email: user.email.to_string(),
        email_verified: user.email_verified_at.is_some(),
        display_name: user.display_name.to_string(),
        roles: user.roles.iter().map(Role::to_string).collect(),
        created_at: Some(timestamp(user.created_at)),
    }
}

fn session(session: &Session) -> proto::Session {
    proto::Session {
        id: session.id.to_string(),
        authenticated_at: Some(timestamp(session.authenticated_at)),
        expires_at: Some(timestamp(session.expires_at)),
    }
}

/// What is known of the caller.
pub(super) fn account(account: &app::Account) -> proto::Account {
    let metadata = account.metadata.iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
    proto::Account {
        user: Some(user(&account.user)),
        locale: account.user.locale.to_string(),
        metadata: metadata.collect(),
    }
}

/// The caller's open sessions.
pub(super) fn sessions(caller: &app::Caller, sessions: &[(Session, Device)]) -> proto::ListSessionsResponse {
    let open = sessions.iter().map(|(opened, device)| {
        let opened_at = opened.id.made_at();
        let last_used_at = match opened.state {
            SessionState::Active { rotated_at, .. } => rotated_at,
            SessionState::Ended { at, .. } => at,
        };
        proto::OpenSession {
            session: Some(session(opened)),
            opened_at: Some(timestamp(opened_at)),
            last_used_at: Some(timestamp(last_used_at)),
            address: device.address.map(|address| address.to_string()),
            user_agent: device.user_agent.clone(),
            current: opened.id == caller.session(),
        }
    });
    proto::ListSessionsResponse { sessions: open.collect() }
}

/// Who the caller is, and in which session.
pub(super) fn who_am_i(caller: &app::Caller, profile: &app::Profile) -> proto::WhoAmIResponse {
    proto::WhoAmIResponse {
        user: Some(user(&profile.user)),
        session: Some(proto::Session {
            id: caller.session().to_string(),
            authenticated_at: Some(timestamp(profile.authenticated_at)),
            expires_at: Some(timestamp(profile.expires_at)),
        }),
    }
}

/// What a token is worth; nothing else when that is nothing.
pub(super) fn token_status(verified: Option<app::VerifiedToken>) -> proto::TokenStatus {
    let claims = verified.map(|app::VerifiedToken { claims, audience }| proto::TokenClaims {
        token_id: claims.id.to_string(),
        user_id: claims.user.to_string(),
        session_id: claims.session.to_string(),
        audience,
        roles: claims.roles.iter().map(Role::to_string).collect(),
        authenticated_at: Some(timestamp(claims.authenticated_at)),
        issued_at: Some(timestamp(claims.issued_at)),
        expires_at: Some(timestamp(claims.expires_at)),
    });
    proto::TokenStatus { active: claims.is_some(), claims }
}

pub(super) fn public_keys(keys: PublicKeys) -> proto::PublicKeySet {
    proto::PublicKeySet { issuer: keys.issuer, keys: keys.keys.into_iter().map(public_key).collect() }
}

fn public_key(key: PublicKey) -> proto::PublicKey {
    let state = match key.state {
        KeyState::Next => proto::KeyState::Next,
        KeyState::Active => proto::KeyState::Active,
        KeyState::Retired => proto::KeyState::Retired,
        // Not among those that are published.
        KeyState::Revoked => proto::KeyState::Unspecified,
    };
    proto::PublicKey {
        id: key.id.to_string(),
        key: key.key,
        state: state.into(),
        not_before: Some(timestamp(key.not_before)),
        not_after: key.not_after.map(timestamp),
    }
}

/// What a listener is told, with the time at which it is.
pub(super) fn watch_event(verifier: &Verifier, event: WatchEvent) -> proto::WatchRevocationsResponse {
    let event = match event {
        WatchEvent::SnapshotBegins { count } => {
            Event::SnapshotBegins(proto::SnapshotBegins { count: u64::try_from(count).unwrap_or(u64::MAX) })
        }
        WatchEvent::Revoked(news) => {
            let revocations = news.into_iter().filter_map(revocation).collect();
            Event::Revocations(proto::RevocationBatch { revocations })
        }
        WatchEvent::UpTo(place) => Event::UpTo(proto::UpTo { resume_token: place }),
        WatchEvent::Keys(keys) => Event::Keys(public_keys(keys)),
        WatchEvent::ForEdge(state) => Event::ForEdge(edge_state(state)),
        WatchEvent::Heartbeat => Event::Heartbeat(proto::Heartbeat {}),
        WatchEvent::GoAway => Event::GoAway(proto::GoAway {}),
    };
    proto::WatchRevocationsResponse {
        event: Some(event),
        server_time: Some(timestamp(verifier.now())),
        revocations_age: Some(duration(verifier.age_of_revocations())),
    }
}

fn edge_state(state: EdgeState) -> proto::EdgeState {
    proto::EdgeState {
        keys: Some(public_keys(state.keys)),
        revoked_key_ids: state.revoked_keys.iter().map(ToString::to_string).collect(),
        audience: state.audience,
        backends: state.backends.iter().map(backend).collect(),
    }
}

fn backend(backend: &RegisteredBackend) -> proto::Backend {
    proto::Backend {
        id: backend.id.as_bytes().to_vec(),
        name: backend.name.to_string(),
        digest: backend.digest.as_bytes().to_vec(),
        audiences: backend.audiences.iter().map(ToString::to_string).collect(),
        edge: backend.is_edge,
    }
}

/// What verifiers have to know; `None` for what concerns our own nodes alone.
fn revocation((news, expires_at): (News, Timestamp)) -> Option<proto::Revocation> {
    let revoked = match news {
        News::SessionEnded(session) => Revoked::SessionId(session.as_bytes().to_vec()),
        News::EpochBegan { user, epoch } => {
            Revoked::UserEpoch(proto::UserEpoch { user_id: user.as_bytes().to_vec(), epoch: epoch.count() })
        }
        News::KeysChanged | News::BackendsChanged => return None,
    };
    Some(proto::Revocation { revoked: Some(revoked), expires_at: Some(timestamp(expires_at)) })
}

/// Never negative, and never so long that it could not be written.
pub(super) fn duration(length: Duration) -> prost_types::Duration {
    let nanos = i32::try_from(length.subsec_nanos()).unwrap_or(0);
    prost_types::Duration { seconds: i64::try_from(length.as_secs()).unwrap_or(i64::MAX), nanos }
}

pub(super) fn timestamp(moment: Timestamp) -> prost_types::Timestamp {
    let nanos = i32::try_from(moment.unix_millis().rem_euclid(1_000)).unwrap_or(0) * 1_000_000;
    prost_types::Timestamp { seconds: moment.unix_seconds(), nanos }
}
