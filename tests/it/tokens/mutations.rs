//! Every byte of a token matters: whatever is changed, cut, added or spelled otherwise is refused.

use countersign::app::Rejection;

use super::{authenticate, refresh};
use crate::support::{
    Engine, TestApp,
    grpc::{self, summary},
    http::frame,
    on_both_engines,
    wire::{Wire, frame_of},
};
use countersign::proto::RefreshRequest;

const BASE64URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const OTHERS: &str = ".=+/ ~\0\n";

/// The token with one byte changed, in every place and to everything that could stand there, and to some that could not.
fn changed(token: &str) -> impl Iterator<Item = String> {
    (0..token.len()).flat_map(move |position| {
        let others =
            BASE64URL.chars().chain(OTHERS.chars()).filter(move |other| !token[position..].starts_with(*other));
        others.map(move |other| format!("{}{other}{}", &token[..position], &token[position + 1..]))
    })
}

/// Cut at either end, with a byte too few or too many anywhere, and in other spellings.
fn respelled(token: &str) -> Vec<String> {
    let mut others = Vec::new();
    for position in 0..token.len() {
        let (start, end) = token.split_at(position);
        others.extend([start.to_owned(), format!("{start}{}", &end[1..])]);
        others.extend(["A", ".", "=", " ", "\0"].map(|more| format!("{start}{more}{end}")));
        if position > 0 {
            others.push(end.to_owned());
        }
    }
    others.extend([".", "=", "==", " ", "\n", "\t", "\0", "A", "A=", "%20", ".."].map(|more| format!("{token}{more}")));
    others.extend([token.to_uppercase(), token.to_lowercase(), format!("{token}{token}"), format!("{token}.{token}")]);
    others.extend([token.replace('-', "+").replace('_', "/"), format!("Bearer {token}"), format!("\"{token}\"")]);
    let swapped = token.char_indices().map(|(at, letter)| {
        let other = if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    });
    others.extend(swapped);
    others.retain(|other| other != token);
    others
}

#[tokio::test]
async fn no_other_spelling_of_an_access_token_passes() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let token = app.signed_in("ada@example.com").await.tokens.unwrap().access_token;
    assert_eq!(authenticate(&app.app, &token).await, Ok(()));
    let others: Vec<_> = changed(&token).chain(respelled(&token)).collect();
    assert!(others.len() > 70 * token.len(), "{}", others.len());
    for other in &others {
        assert_eq!(authenticate(&app.app, other).await, Err(Rejection::TokenInvalid), "{other:?}");
    }
    assert_eq!(authenticate(&app.app, &token).await, Ok(()));

    for (wire, other) in Wire::ALL.into_iter().cycle().zip(others.iter().step_by(197)) {
        let header = format!("Bearer {other}");
        if http::HeaderValue::from_str(&header).is_ok() {
            let reply = wire.call(&app, "WhoAmI", &frame_of(b""), &[("authorization", &header)]).await;
            // White space at the end of a header is not part of it (RFC 9110 §5.5).
            let expected =
                if header.trim_end() == format!("Bearer {token}") { "Ok" } else { "Unauthenticated TOKEN_INVALID" };
            assert_eq!(reply.outcome(), expected, "{wire:?} {other:?}");
        }
    }
}

on_both_engines! {
    async fn no_other_spelling_of_a_refresh_token_passes_and_none_ends_the_session(engine) {
        let app = TestApp::spawn(engine).await;
        let token = app.signed_in("ada@example.com").await.tokens.unwrap().refresh_token;
        let others: Vec<_> = changed(&token).chain(respelled(&token)).collect();
        assert!(others.len() > 70 * token.len(), "{}", others.len());
        for other in &others {
            assert_eq!(refresh(&app.app, other).await, Err(Rejection::TokenInvalid), "{other:?}");
        }
        for (wire, other) in Wire::ALL.into_iter().cycle().zip(others.iter().step_by(97).filter(|other| !other.is_empty())) {
            let request = RefreshRequest { refresh_token: other.clone(), delivery: 0 };
            let reply = wire.call(&app, "Refresh", &frame(&request), &[]).await;
            assert_eq!(reply.outcome(), "Unauthenticated TOKEN_INVALID", "{wire:?} {other:?}");
        }
        assert_eq!(app.database.number("SELECT generation FROM sessions WHERE ended_at IS NULL").await, 0);
        let mut client = app.client().await;
        assert!(grpc::refresh(&mut client, &token).await.is_ok());
    }
}

/// What is not under our keys costs no look into the database: it is refused as invalid although there is none to look into.
#[tokio::test]
async fn junk_is_refused_without_the_database() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
    let mut client = app.client().await;
    app.store.close().await.unwrap();
    let (prefix, tag) = tokens.refresh_token.split_at(6 + 39);
    assert_eq!(tag.len(), 43, "the last 32 bytes, but for the bits that the check ends with");
    for position in 6..prefix.len() - 1 {
        let other = if &prefix[position..=position] == "A" { "B" } else { "A" };
        let junk = format!("{}{other}{}{tag}", &prefix[..position], &prefix[position + 1..]);
        let refusal = grpc::refresh(&mut client, &junk).await.unwrap_err();
        assert_eq!(summary(&refusal), "Unauthenticated TOKEN_INVALID", "{position}");
    }
    let refusal = grpc::refresh(&mut client, &tokens.refresh_token).await.unwrap_err();
    assert_eq!(summary(&refusal), "Unavailable UNAVAILABLE", "the real one has to be looked up");
}
