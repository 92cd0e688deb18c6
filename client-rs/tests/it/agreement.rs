//! The verifier and countersign itself say the same of every token, good, bad, or bent.

use countersign_client::{Refusal, Verifier};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::support::{Service, who_am_i};

const BASE64URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const OTHERS: &str = ".=+/ ~\0\n";
/// Mutations of a token that are tried.
const TRIED: usize = 10_000;
/// One in so many is put to the service too, which costs a call.
const ASKED: usize = 7;

/// The token with one byte changed, anywhere and to anything; cut; with a byte too few or too many; respelled.
fn mutations(token: &str) -> Vec<String> {
    let mut others: Vec<String> = (0..token.len())
        .flat_map(|at| {
            let (start, end) = (&token[..at], &token[at + 1..]);
            BASE64URL.chars().chain(OTHERS.chars()).map(move |other| format!("{start}{other}{end}"))
        })
        .collect();
    for at in 1..token.len() {
        let (start, end) = token.split_at(at);
        others.extend([start.to_owned(), end.to_owned(), format!("{start}{}", &end[1..])]);
        others.extend(["A", ".", "="].map(|more| format!("{start}{more}{end}")));
    }
    // Evenly from all of them, so that every kind and every place is among those tried.
    let step = others.len() / (TRIED - 100);
    let mut tried: Vec<_> = others.into_iter().step_by(step).collect();
    tried.extend([".", "=", "==", " ", "\n", "\t", "\0", "A", "A=", "%20", ".."].map(|more| format!("{token}{more}")));
    tried.extend([token.to_uppercase(), token.to_lowercase(), format!("{token}{token}"), format!("{token}.{token}")]);
    tried.extend([String::new(), " ".to_owned(), "v4.public.".to_owned(), "A".repeat(1 << 20)]);
    tried.retain(|other| other != token);
    tried
}

fn reason(status: &Status) -> Refusal {
    assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
    match status.get_error_details().error_info().unwrap().reason.as_str() {
        "TOKEN_INVALID" => Refusal::Invalid,
        "TOKEN_EXPIRED" => Refusal::Expired,
        other => panic!("{other}"),
    }
}

/// White space around a header's value is not part of it (RFC 9110 §5.5), and some bytes cannot stand in one at all; a header
/// of some kilobytes ends the connection.
fn can_travel(token: &str) -> bool {
    token.len() < 4_096 && token.trim() == token && !token.is_empty() && token.parse::<http::HeaderValue>().is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_mutation_of_a_token_passes_here_or_there() {
    let service = Service::start(&["admin"]).await;
    let verifier = Verifier::builder("https://auth.example.com").keys_url(service.keys_url()).build().unwrap();
    let token = service.login().await.access_token;
    let mut client = service.client().await;
    let claims = verifier.verify(&token).await.unwrap();
    assert_eq!((claims.roles, claims.assurance), (vec!["admin".to_owned()], 1));
    who_am_i(&mut client, &token).await.unwrap();

    let mutations = mutations(&token);
    assert!(mutations.len() >= TRIED, "{}", mutations.len());
    let mut asked = 0;
    for (index, other) in mutations.iter().enumerate() {
        let refusal = verifier.verify(other).await.unwrap_err();
        assert_eq!(refusal, Refusal::Invalid, "{other:?}");
        if index % ASKED == 0 && can_travel(other) {
            let theirs = who_am_i(&mut client, other).await.unwrap_err();
            assert_eq!(reason(&theirs), refusal, "{other:?}");
            asked += 1;
        }
    }
    assert!(asked > TRIED / ASKED / 2, "{asked}");
    assert!(verifier.verify(&token).await.is_ok(), "none of them spoilt it");
}
