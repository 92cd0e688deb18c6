//! Frames that are no frames: tonic calls most of them INTERNAL or OUT_OF_RANGE, which would be our fault.

use prost::Message as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::app_with_ada;
use crate::support::{
    grpc::{login_request, sign_up},
    http::Version,
    wire::{Wire, frame_of},
};

const REFUSED: &str = "InvalidArgument INVALID_FIELDS";
const LOGIN: &str = "/countersign.v1.AuthService/Login";
const LARGEST_REQUEST: usize = 64 * 1024;

/// A good request of exactly this length: an unknown field fills it up.
fn login_of(length: usize) -> Vec<u8> {
    let message = login_request("ada@example.com").encode_to_vec();
    // Tag and length of the filling take five bytes, three of them a length of at least 2^14.
    let filling = length - message.len() - 5;
    let tag = [0xfa, 0x7f];
    let mut padded = [message.as_slice(), &tag].concat();
    prost::encoding::encode_varint(filling as u64, &mut padded);
    padded.resize(length, b'x');
    padded
}

#[tokio::test]
async fn a_call_without_one_whole_message_is_the_callers_mistake() {
    let app = app_with_ada().await;
    let good = frame_of(&login_request("ada@example.com").encode_to_vec());
    for wire in Wire::ALL {
        assert_eq!(wire.call(&app, "Login", &good, &[]).await.outcome(), "Ok", "{wire:?}");
        for cut in 0..good.len() {
            let outcome = wire.call(&app, "Login", &good[..cut], &[]).await.outcome();
            assert_eq!(outcome, REFUSED, "{wire:?}, cut after {cut} bytes");
        }
        let trailing = [good.as_slice(), b"abc"].concat();
        assert_eq!(wire.call(&app, "Login", &trailing, &[]).await.outcome(), REFUSED, "{wire:?}");
        let second_is_junk = [good.as_slice(), &frame_of(b"\x0a\xff")].concat();
        assert_eq!(wire.call(&app, "Login", &second_is_junk, &[]).await.outcome(), REFUSED, "{wire:?}");
    }
}

#[tokio::test]
async fn of_two_messages_the_first_counts() {
    let app = app_with_ada().await;
    let good = frame_of(&login_request("ada@example.com").encode_to_vec());
    let other = frame_of(&login_request("eve@example.com").encode_to_vec());
    for wire in Wire::ALL {
        assert_eq!(
            wire.call(&app, "Login", &[good.as_slice(), &other].concat(), &[]).await.outcome(),
            "Ok",
            "{wire:?}"
        );
        let outcome = wire.call(&app, "Login", &[other.as_slice(), &good].concat(), &[]).await.outcome();
        assert_eq!(outcome, "Unauthenticated BAD_CREDENTIALS", "{wire:?}");
    }
}

#[tokio::test]
async fn flags_and_encodings_that_nobody_agreed_on_are_refused() {
    let app = app_with_ada().await;
    let message = frame_of(&login_request("ada@example.com").encode_to_vec());
    for wire in Wire::ALL {
        for flag in [1, 2, 0x7f, 0x80, 0xff] {
            let flagged = [&[flag], &message[1..]].concat();
            assert_eq!(wire.call(&app, "Login", &flagged, &[]).await.outcome(), REFUSED, "{wire:?}, flag {flag}");
        }
        for encoding in ["gzip", "deflate", "zstd", "snappy", ""] {
            for flag in [0, 1] {
                let flagged = [&[flag], &message[1..]].concat();
                let outcome = wire.call(&app, "Login", &flagged, &[("grpc-encoding", encoding)]).await.outcome();
                assert_eq!(outcome, "Unimplemented -", "{wire:?}, {encoding}, flag {flag}");
            }
        }
        let outcome = wire.call(&app, "Login", &message, &[("grpc-encoding", "identity")]).await.outcome();
        assert_eq!(outcome, "Ok", "{wire:?}");
    }
}

#[tokio::test]
async fn a_message_of_64_kib_is_read_and_a_longer_one_is_not() {
    let app = app_with_ada().await;
    for wire in Wire::ALL {
        for (length, expected) in
            [(LARGEST_REQUEST - 1, "Ok"), (LARGEST_REQUEST, "Ok"), (LARGEST_REQUEST + 1, REFUSED), (1 << 20, REFUSED)]
        {
            let outcome = wire.call(&app, "Login", &frame_of(&login_of(length)), &[]).await.outcome();
            assert_eq!(outcome, expected, "{wire:?}, {length} bytes");
        }
        // What is announced is refused before any of it is waited for.
        let announced = [0, 0xff, 0xff, 0xff, 0xff, b'x'];
        assert_eq!(wire.call(&app, "Login", &announced, &[]).await.outcome(), REFUSED, "{wire:?}");
    }
}

#[tokio::test]
async fn text_that_is_not_base64_is_refused() {
    let app = app_with_ada().await;
    for version in [Version::Http1, Version::Http2] {
        for body in ["!!!!", "AAAAA", "AAAA!", "AA-_", "AAAA\n", " AAAA", "AAA", "AA=A", "\0\0\0\0", "é", "===="] {
            let outcome = Wire::WebText(version).post(&app, LOGIN, body.as_bytes().to_vec(), &[]).await.outcome();
            assert_eq!(outcome, REFUSED, "{version:?} {body:?}");
        }
    }
}

#[tokio::test]
async fn every_rpc_and_the_health_service_blame_the_caller() {
    let app = app_with_ada().await;
    for wire in Wire::ALL {
        for path in [
            "/countersign.v1.AuthService/SignUp",
            LOGIN,
            "/countersign.v1.AuthService/WhoAmI",
            "/countersign.v1.AuthService/Refresh",
            "/countersign.v1.AuthService/Logout",
            "/grpc.health.v1.Health/Check",
        ] {
            for junk in [&b""[..], b"\0", b"\0\0\0\0\x02x", b"\x01\0\0\0\0", &frame_of(b"\x0a\xff")] {
                assert_eq!(
                    wire.post(&app, path, wire.body(junk), &[]).await.outcome(),
                    REFUSED,
                    "{wire:?} {path} {junk:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_or_is_no_http_is_the_callers_mistake() {
    let app = app_with_ada().await;
    let head = "POST /countersign.v1.AuthService/Login HTTP/1.1\r\nhost: x\r\ncontent-type: application/grpc-web+proto\r\n\
                x-grpc-web: 1\r\n";
    for body in [
        "transfer-encoding: chunked\r\n\r\nzz\r\n",
        "transfer-encoding: chunked\r\n\r\n5\r\n\0\0",
        "transfer-encoding: chunked\r\n\r\n5\r\n\0\0\0\0\0xx",
        "content-length: 7\r\n\r\n\0\0\0\0",
    ] {
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        stream.write_all([head, body].concat().as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        // Who has hung up may be told nothing; who is told is not told that it was us.
        assert!(answer.is_empty() || answer.contains("grpc-status: 3\r\n"), "{body:?}: {answer}");
    }
    sign_up(&mut app.client().await, "eve@example.com").await;
}
