//! From outcomes to messages and cookies.

use tonic::Response;

use super::{cookies, parse::Delivery};
use crate::{
    app,
    domain::{Device, Role, Session, SessionState, Timestamp, User},
    proto,
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

pub(super) fn timestamp(moment: Timestamp) -> prost_types::Timestamp {
    let nanos = i32::try_from(moment.unix_millis().rem_euclid(1_000)).unwrap_or(0) * 1_000_000;
    prost_types::Timestamp { seconds: moment.unix_seconds(), nanos }
}
