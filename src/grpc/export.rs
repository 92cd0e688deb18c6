//! All that is stored of a person, in the words of the API.

use serde_json::{Map, Value, json};

use crate::{
    app::Account,
    domain::{Device, Role, Session, SessionState, Timestamp},
    store::Belongings,
};

/// As JSON. Moments are milliseconds since 1970.
pub(super) fn json(account: &Account, belongings: &Belongings) -> Value {
    let user = &account.user;
    let metadata: Map<String, Value> =
        account.metadata.iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect();
    json!({
        "user": {
            "id": user.id.to_string(),
            "email": user.email.as_str(),
            "email_verified_at": user.email_verified_at.map(Timestamp::unix_millis),
            "display_name": user.display_name.as_str(),
            "locale": user.locale.as_str(),
            "roles": user.roles.iter().map(Role::as_str).collect::<Vec<_>>(),
            "has_password": user.password_hash.is_some(),
            "created_at": user.created_at.unix_millis(),
            "metadata": metadata,
        },
        "sessions": belongings.sessions.iter().map(session).collect::<Vec<_>>(),
        "devices": belongings.devices.iter().map(|(first, last)| json!({
            "first_seen_at": first.unix_millis(),
            "last_seen_at": last.unix_millis(),
        })).collect::<Vec<_>>(),
        "codes": belongings.codes.iter().map(|code| json!({
            "purpose": code.purpose.as_str(),
            "email": code.email.as_str(),
            "created_at": code.created_at.unix_millis(),
            "expires_at": code.expires_at.unix_millis(),
        })).collect::<Vec<_>>(),
        "events": belongings.events.iter().map(|event| json!({
            "at": event.at.unix_millis(),
            "kind": event.kind,
            "session": event.session.map(|session| session.to_string()),
            "address": event.address,
            "user_agent": event.user_agent,
        })).collect::<Vec<_>>(),
    })
}

fn session((session, device): &(Session, Device)) -> Value {
    let (last_used_at, ended) = match session.state {
        SessionState::Active { rotated_at, .. } => (Some(rotated_at), None),
        SessionState::Ended { at, why } => (None, Some((at, why))),
    };
    json!({
        "id": session.id.to_string(),
        "opened_at": session.id.made_at().unix_millis(),
        "authenticated_at": session.authenticated_at.unix_millis(),
        "last_used_at": last_used_at.map(Timestamp::unix_millis),
        "expires_at": session.expires_at.unix_millis(),
        "ended_at": ended.map(|(at, _)| at.unix_millis()),
        "end_reason": ended.map(|(_, why)| why.as_str()),
        "address": device.address.map(|address| address.to_string()),
        "user_agent": device.user_agent,
    })
}
