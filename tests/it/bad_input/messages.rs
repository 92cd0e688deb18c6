//! Good frames around bytes that are no such message, or one that no client library would write.

use countersign::proto::{LoginRequest, RefreshRequest, SignUpRequest};
use prost::Message as _;

use super::app_with_ada;
use crate::support::{
    PASSWORD,
    grpc::{login_request, sign_up_request},
    wire::{Wire, frame_of},
};

const NOT_A_MESSAGE: &str = "InvalidArgument INVALID_FIELDS";

/// A field of Protobuf's wire format: number, wire type, and what follows.
fn field(number: u32, wire_type: u32, rest: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::encode_varint(u64::from(number << 3 | wire_type), &mut bytes);
    bytes.extend(rest);
    bytes
}

/// A string field, whatever the bytes.
fn text(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut rest = Vec::new();
    prost::encoding::encode_varint(bytes.len() as u64, &mut rest);
    rest.extend(bytes);
    field(number, 2, &rest)
}

fn varint(number: u32, value: u64) -> Vec<u8> {
    let mut rest = Vec::new();
    prost::encoding::encode_varint(value, &mut rest);
    field(number, 0, &rest)
}

#[tokio::test]
async fn bytes_that_are_no_such_message_are_the_callers_mistake() {
    let app = app_with_ada().await;
    let fields = [("SignUp", 3), ("Login", 2), ("Refresh", 1)];
    for wire in Wire::ALL {
        for (method, strings) in fields {
            for number in 1..=strings {
                for wrong_type in [varint(number, 1), field(number, 1, &[0; 8]), field(number, 5, &[0; 4])] {
                    let outcome = wire.call(&app, method, &frame_of(&wrong_type), &[]).await.outcome();
                    assert_eq!(outcome, NOT_A_MESSAGE, "{wire:?} {method} {wrong_type:?}");
                }
                for not_utf8 in [&b"\xff"[..], b"a\xc0\x80", b"\xed\xa0\x80", b"\xe2\x82", b"\xf4\x90\x80\x80", b"\x80"]
                {
                    let outcome = wire.call(&app, method, &frame_of(&text(number, not_utf8)), &[]).await.outcome();
                    assert_eq!(outcome, NOT_A_MESSAGE, "{wire:?} {method} {number} {not_utf8:?}");
                }
            }
        }
        let nested: Vec<u8> = [field(99, 3, &[]).repeat(1_000), field(99, 4, &[]).repeat(1_000)].concat();
        for junk in [
            text(3, b"x"),                          // an enum as a string
            field(1, 2, &[0xff, 0xff, 0xff, 0x7f]), // a string longer than the message
            field(1, 2, &[0xff; 11]),               // a length that does not end
            field(1, 6, &[]),                       // wire types that do not exist
            field(1, 7, &[]),
            vec![0, 0],       // field 0
            field(9, 4, &[]), // the end of a group that never began
            nested,
            vec![0xff; 100],
        ] {
            assert_eq!(
                wire.call(&app, "Login", &frame_of(&junk), &[]).await.outcome(),
                NOT_A_MESSAGE,
                "{wire:?} {junk:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_message_cut_anywhere_is_never_taken_for_the_whole() {
    let app = app_with_ada().await;
    let whole = login_request("ada@example.com").encode_to_vec();
    for wire in Wire::ALL {
        for cut in 0..whole.len() {
            let outcome = wire.call(&app, "Login", &frame_of(&whole[..cut]), &[]).await.outcome();
            // Between two fields the rest is only missing, and the missing field is named.
            let expected = match cut {
                0 => "InvalidArgument INVALID_FIELDS email,password",
                17 => "InvalidArgument INVALID_FIELDS password",
                _ => NOT_A_MESSAGE,
            };
            assert_eq!(outcome, expected, "{wire:?} {cut}");
        }
        assert_eq!(wire.call(&app, "Login", &frame_of(&whole), &[]).await.outcome(), "Ok", "{wire:?}");
    }
}

#[tokio::test]
async fn what_a_later_version_adds_is_passed_over_and_what_comes_twice_counts_once() {
    let app = app_with_ada().await;
    let whole = login_request("ada@example.com").encode_to_vec();
    let unknown = [
        text(1_000, b"\xff\0"),
        varint(1_001, u64::MAX),
        field(1_002, 1, &[0xff; 8]),
        field(1_003, 5, &[0xff; 4]),
        [field(1_004, 3, &[]), varint(1, 1), field(1_004, 4, &[])].concat(),
        field((1 << 29) - 1, 0, &[0]),
    ];
    let unknown = unknown.concat();
    let (ada, eve) = (text(1, b"ada@example.com"), text(1, b"eve@example.com"));
    let password = text(2, PASSWORD.as_bytes());
    for wire in Wire::ALL {
        for (message, expected) in [
            ([whole.as_slice(), &unknown].concat(), "Ok"),
            ([unknown.as_slice(), &whole].concat(), "Ok"),
            // Protobuf: of a field that comes twice, the last counts.
            ([eve.as_slice(), &ada, &password].concat(), "Ok"),
            ([ada.as_slice(), &password, &eve].concat(), "Unauthenticated BAD_CREDENTIALS"),
            ([ada.as_slice(), &password, &text(1, b"\0")].concat(), "InvalidArgument INVALID_FIELDS email"),
            ([ada.as_slice(), &password, &varint(3, 7), &varint(3, 1)].concat(), "Ok"),
            (
                [ada.as_slice(), &password, &varint(3, 1), &varint(3, 7)].concat(),
                "InvalidArgument INVALID_FIELDS delivery",
            ),
        ] {
            assert_eq!(
                wire.call(&app, "Login", &frame_of(&message), &[]).await.outcome(),
                expected,
                "{wire:?} {message:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_delivery_that_does_not_exist_is_refused() {
    let app = app_with_ada().await;
    for wire in Wire::ALL {
        for delivery in [3, -1, i32::MAX, i32::MIN] {
            let login = LoginRequest { delivery, ..login_request("ada@example.com") };
            let outcome = wire.call(&app, "Login", &frame_of(&login.encode_to_vec()), &[]).await.outcome();
            assert_eq!(outcome, "InvalidArgument INVALID_FIELDS delivery", "{wire:?} {delivery}");
            for refresh_token in ["", "cs_rt_x"] {
                let refresh = RefreshRequest { refresh_token: refresh_token.to_owned(), delivery };
                let outcome = wire.call(&app, "Refresh", &frame_of(&refresh.encode_to_vec()), &[]).await.outcome();
                assert_eq!(outcome, "InvalidArgument INVALID_FIELDS delivery", "{wire:?} {delivery}");
            }
        }
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let app = app_with_ada().await;
    let all_wrong = [
        (
            "SignUp",
            SignUpRequest { email: "ada".into(), password: "short".into(), display_name: "\0".into() }.encode_to_vec(),
            "InvalidArgument INVALID_FIELDS email,password,display_name",
        ),
        (
            "SignUp",
            SignUpRequest { password: "short".into(), ..sign_up_request("eve@example.com") }.encode_to_vec(),
            "InvalidArgument WEAK_PASSWORD password",
        ),
        (
            "Login",
            LoginRequest { delivery: 9, ..LoginRequest::default() }.encode_to_vec(),
            "InvalidArgument INVALID_FIELDS email,password,delivery",
        ),
        (
            "Refresh",
            RefreshRequest { refresh_token: "x".repeat(513), delivery: 9 }.encode_to_vec(),
            "InvalidArgument INVALID_FIELDS refresh_token,delivery",
        ),
    ];
    for wire in Wire::ALL {
        for (method, message, expected) in &all_wrong {
            assert_eq!(wire.call(&app, method, &frame_of(message), &[]).await.outcome(), *expected, "{wire:?}");
        }
    }
    assert_eq!(app.database.number("SELECT COUNT(*) FROM users").await, 1, "nobody was made of it");
}
