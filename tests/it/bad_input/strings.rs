//! Every string that has ever broken something, in every field that takes one.

use std::collections::BTreeMap;

use countersign::proto::{LoginRequest, RefreshRequest, SignUpRequest};
use http::HeaderValue;
use insta::assert_snapshot;
use prost::Message as _;

use crate::support::{
    Engine, PAGE, TestApp,
    grpc::{login_request, sign_up, sign_up_request},
    http::Version,
    wire::{Wire, frame_of},
};

const NAUGHTY: &str = include_str!("../../vectors/blns.json");

/// What takes a string from a stranger.
#[derive(Debug, Clone, Copy)]
enum Field {
    SignUpEmail,
    SignUpPassword,
    SignUpDisplayName,
    LoginEmail,
    LoginPassword,
    RefreshToken,
    Authorization,
    AccessCookie,
    RefreshCookie,
    UserAgent,
}

impl Field {
    const ALL: [Self; 10] = [
        Self::SignUpEmail,
        Self::SignUpPassword,
        Self::SignUpDisplayName,
        Self::LoginEmail,
        Self::LoginPassword,
        Self::RefreshToken,
        Self::Authorization,
        Self::AccessCookie,
        Self::RefreshCookie,
        Self::UserAgent,
    ];

    fn is_header(self) -> bool {
        matches!(self, Self::Authorization | Self::AccessCookie | Self::RefreshCookie | Self::UserAgent)
    }

    /// The longest string that the field takes.
    fn longest(self) -> String {
        match self {
            Self::SignUpEmail | Self::LoginEmail => {
                format!("{}@{}.{}.{}", "a".repeat(64), "b".repeat(63), "c".repeat(63), "d".repeat(61))
            }
            Self::SignUpPassword | Self::LoginPassword => "🔑".repeat(256),
            Self::SignUpDisplayName => "Ä".repeat(100),
            Self::RefreshToken => "r".repeat(512),
            Self::Authorization => format!("Bearer {}", "t".repeat(4_096)),
            Self::AccessCookie | Self::RefreshCookie | Self::UserAgent => "c".repeat(4_096),
        }
    }

    /// Sends `text`, as the `number`th of its kind.
    async fn send(self, app: &TestApp, number: usize, text: String) -> String {
        let fresh = sign_up_request(&format!("{self:?}{number}@example.com"));
        let login = login_request("ada@example.com");
        let (method, message) = match self {
            Self::SignUpEmail => ("SignUp", SignUpRequest { email: text.clone(), ..fresh }.encode_to_vec()),
            Self::SignUpPassword => ("SignUp", SignUpRequest { password: text.clone(), ..fresh }.encode_to_vec()),
            Self::SignUpDisplayName => {
                ("SignUp", SignUpRequest { display_name: text.clone(), ..fresh }.encode_to_vec())
            }
            Self::LoginEmail => ("Login", LoginRequest { email: text.clone(), ..login }.encode_to_vec()),
            Self::LoginPassword => ("Login", LoginRequest { password: text.clone(), ..login }.encode_to_vec()),
            Self::RefreshToken => {
                ("Refresh", RefreshRequest { refresh_token: text.clone(), delivery: 0 }.encode_to_vec())
            }
            Self::Authorization | Self::AccessCookie => ("WhoAmI", Vec::new()),
            Self::RefreshCookie => ("Refresh", Vec::new()),
            Self::UserAgent => ("SignUp", fresh.encode_to_vec()),
        };
        let cookie = |name| format!("__Host-countersign-{name}={text}");
        let header = match self {
            Self::Authorization => Some(("authorization", text.clone())),
            Self::AccessCookie => Some(("cookie", cookie("access"))),
            Self::RefreshCookie => Some(("cookie", cookie("refresh"))),
            Self::UserAgent => Some(("user-agent", text.clone())),
            _ => None,
        };
        let mut headers = vec![("origin", PAGE)];
        headers.extend(header.iter().map(|(name, value)| (*name, value.as_str())));
        Wire::Web(Version::Http2).call(app, method, &frame_of(&message), &headers).await.outcome()
    }
}

/// The strings for a field of which `longest` is the longest that it takes.
pub fn strings(longest: String, is_header: bool) -> Vec<String> {
    let over = format!("{longest}a");
    let others = ['\u{7f}', '\u{80}', '\u{9f}', '\u{ad}', '\u{feff}', '\u{202e}', '\u{200d}'];
    let odd = (0..0x20_u8).map(char::from).chain(others);
    let mut strings = vec![
        String::new(),
        longest,
        over,
        "Nul\0inside the string".to_owned(),
        format!("e{}", "\u{301}".repeat(10_000)),
        "\u{fdfa}".repeat(256),
        "x".repeat(64_000),
        // Longer than a message may be.
        "x".repeat(64 * 1024),
    ];
    strings.extend(odd.flat_map(|odd| [format!("ad{odd}a@example.com"), format!("ada@exam{odd}ple.com")]));
    let naughty: Vec<String> = serde_json::from_str(NAUGHTY).unwrap();
    assert_eq!(naughty.len(), 485);
    strings.extend(naughty);
    // A header cannot say everything, and of more than 16 KiB of them nothing is read.
    strings.retain(|text| !is_header || text.len() < 12_000 && HeaderValue::from_str(text).is_ok());
    strings
}

/// What an engine's service says to each string in each field.
async fn transcript(engine: Engine) -> Vec<(Field, String, String)> {
    let app = TestApp::spawn(engine).await;
    sign_up(&mut app.client().await, "ada@example.com").await;
    let mut lines = Vec::new();
    for field in Field::ALL {
        for (number, text) in strings(field.longest(), field.is_header()).into_iter().enumerate() {
            let outcome = field.send(&app, number, text.clone()).await;
            lines.push((field, text, outcome));
        }
    }
    let request = frame_of(&login_request("ada@example.com").encode_to_vec());
    assert_eq!(
        Wire::Native.call(&app, "Login", &request, &[]).await.outcome(),
        "Ok",
        "and it is none the worse for it"
    );
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_say_the_same_to_every_string_in_every_field() {
    let sqlite = tokio::spawn(transcript(Engine::Sqlite));
    let postgres = transcript(Engine::Postgres).await;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for ((field, text, outcome), (_, _, other)) in sqlite.await.unwrap().into_iter().zip(postgres) {
        let start: String = text.chars().take(40).collect();
        assert_eq!(outcome, other, "{field:?}: {start:?}");
        *counts.entry(format!("{field:?}: {outcome}")).or_default() += 1;
    }
    let counts: Vec<String> = counts.into_iter().map(|(outcome, count)| format!("{outcome} ×{count}")).collect();
    // Nothing but OK, INVALID_ARGUMENT and UNAUTHENTICATED. The one address is the longest one.
    assert_snapshot!(counts.join("\n"), @r"
    AccessCookie: Unauthenticated NOT_SIGNED_IN ×102
    AccessCookie: Unauthenticated TOKEN_INVALID ×398
    Authorization: Unauthenticated TOKEN_INVALID ×500
    LoginEmail: InvalidArgument INVALID_FIELDS ×1
    LoginEmail: InvalidArgument INVALID_FIELDS email ×569
    LoginEmail: Ok ×1
    LoginPassword: InvalidArgument INVALID_FIELDS ×1
    LoginPassword: InvalidArgument INVALID_FIELDS password ×5
    LoginPassword: Unauthenticated BAD_CREDENTIALS ×565
    RefreshCookie: Unauthenticated NOT_SIGNED_IN ×102
    RefreshCookie: Unauthenticated TOKEN_INVALID ×398
    RefreshToken: InvalidArgument INVALID_FIELDS ×1
    RefreshToken: InvalidArgument INVALID_FIELDS refresh_token ×4
    RefreshToken: Unauthenticated NOT_SIGNED_IN ×2
    RefreshToken: Unauthenticated TOKEN_INVALID ×564
    SignUpDisplayName: InvalidArgument INVALID_FIELDS ×1
    SignUpDisplayName: InvalidArgument INVALID_FIELDS display_name ×98
    SignUpDisplayName: Ok ×472
    SignUpEmail: InvalidArgument INVALID_FIELDS ×1
    SignUpEmail: InvalidArgument INVALID_FIELDS email ×569
    SignUpEmail: Ok ×1
    SignUpPassword: InvalidArgument INVALID_FIELDS ×1
    SignUpPassword: InvalidArgument WEAK_PASSWORD password ×186
    SignUpPassword: Ok ×384
    UserAgent: Ok ×500
    ");
}

#[tokio::test]
async fn more_headers_than_16_kib_are_refused_unread() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let token = format!("Bearer {}", "t".repeat(16 * 1024));
    for wire in [Wire::Native, Wire::Web(Version::Http2)] {
        let outcome = wire.call(&app, "WhoAmI", &frame_of(b""), &[("authorization", &token)]).await.outcome();
        assert_eq!(outcome, "431 Request Header Fields Too Large", "{wire:?}");
    }
}
