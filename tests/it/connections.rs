//! Connections: who keeps one without using it loses it, nobody takes them all, and none is broken by a new certificate or a
//! stop.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Code;

use crate::support::{
    Engine, TestApp,
    grpc::{login, login_request, sign_up},
    http::{Http, Version},
    tls::Tls,
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const EMPTY_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

/// Whether the server hung up, rather than answer or keep the connection.
async fn is_hung_up_on(mut stream: TcpStream) -> bool {
    let mut rest = Vec::new();
    // A reset is as good as an end.
    stream.read_to_end(&mut rest).await.is_err() || rest.is_empty()
}

async fn connect(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Sends a preface and reads the server's first frame, its settings.
async fn settings(stream: &mut TcpStream) -> Vec<(u16, u32)> {
    stream.write_all(&[PREFACE, EMPTY_SETTINGS].concat()).await.unwrap();
    let mut header = [0; 9];
    stream.read_exact(&mut header).await.unwrap();
    assert_eq!(header[3], 4, "a SETTINGS frame");
    let mut settings = vec![0; usize::from(u16::from_be_bytes([header[1], header[2]]))];
    stream.read_exact(&mut settings).await.unwrap();
    let entry = |six: &[u8]| {
        let (id, value) = six.split_at(2);
        (u16::from_be_bytes(id.try_into().unwrap()), u32::from_be_bytes(value.try_into().unwrap()))
    };
    settings.chunks(6).map(entry).collect()
}

#[tokio::test]
async fn who_says_nothing_is_hung_up_on() {
    let app =
        TestApp::with(Engine::Sqlite, |setup| setup.server.first_bytes_timeout = Duration::from_millis(100)).await;
    for beginning in [&b""[..], &PREFACE[..10], b"POST /", &PREFACE[..23]] {
        assert!(is_hung_up_on(connect(app.address, beginning).await).await, "{beginning:?}");
    }
}

#[tokio::test]
async fn who_shakes_no_hands_is_hung_up_on() {
    let tls = Tls::create();
    let app = TestApp::with(Engine::Sqlite, |setup| {
        setup.server.tls = Some(tls.files());
        setup.server.first_bytes_timeout = Duration::from_millis(100);
    })
    .await;
    assert!(is_hung_up_on(connect(app.address, b"").await).await);
}

#[tokio::test]
async fn one_client_has_so_many_connections_and_gets_them_back() {
    let app = TestApp::with(Engine::Sqlite, |setup| setup.server.max_connections_per_client = 2).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        settings(&mut stream).await;
        held.push(stream);
    }
    assert!(is_hung_up_on(TcpStream::connect(app.address).await.unwrap()).await);
    held.pop();
    // The server notices in its own time; until then it hangs up.
    loop {
        let mut stream = connect(app.address, &[PREFACE, EMPTY_SETTINGS].concat()).await;
        if stream.read_u8().await.is_ok() {
            break;
        }
    }
}

#[tokio::test]
async fn when_there_is_no_room_a_connection_waits_for_its_turn() {
    let app = TestApp::with(Engine::Sqlite, |setup| setup.server.max_connections = 1).await;
    let mut first = TcpStream::connect(app.address).await.unwrap();
    settings(&mut first).await;
    let second = tokio::spawn({
        let address = app.address;
        async move { settings(&mut TcpStream::connect(address).await.unwrap()).await }
    });
    drop(first);
    assert!(!second.await.unwrap().is_empty());
}

#[tokio::test]
async fn the_limits_that_tonic_leaves_open_are_announced() {
    const MAX_CONCURRENT_STREAMS: u16 = 3;
    const MAX_HEADER_LIST_SIZE: u16 = 6;
    let app = TestApp::spawn(Engine::Sqlite).await;
    let announced = settings(&mut TcpStream::connect(app.address).await.unwrap()).await;
    assert!(announced.contains(&(MAX_CONCURRENT_STREAMS, 100)), "{announced:?}");
    assert!(announced.contains(&(MAX_HEADER_LIST_SIZE, 16 * 1_024)), "{announced:?}");
}

#[tokio::test]
async fn a_new_certificate_is_shown_without_a_restart() {
    let (old, new) = (Tls::create(), Tls::create());
    let app = TestApp::with(Engine::Sqlite, |setup| setup.server.tls = Some(old.files())).await;
    let trusting = |tls: &Tls| Http { address: app.address, version: Version::Http1, tls: Some(tls.client()) };
    assert!(trusting(&old).connects().await);
    assert!(!trusting(&new).connects().await, "the test of the test");

    std::fs::write(old.files().key, "not a key").unwrap();
    assert!(trusting(&old).connects().await, "a broken file changes nothing");

    std::fs::copy(new.files().key, old.files().key).unwrap();
    std::fs::copy(new.files().certificate, old.files().certificate).unwrap();
    while !trusting(&new).connects().await {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_lets_open_calls_finish_and_takes_no_new_ones() {
    let app = TestApp::with(Engine::Sqlite, |setup| {
        setup.hashing.memory_kib = 32 * 1_024;
        setup.hashing.iterations = 4;
    })
    .await;
    let mut client = app.client().await;
    sign_up(&mut client, "ada@example.com").await;
    let address = app.address;
    let mut health = app.health().await;

    let open = tokio::spawn(async move { login(&mut client, "ada@example.com").await });
    app.until_hashing().await;
    let stopping = tokio::spawn(app.stop());

    assert!(open.await.unwrap().is_ok(), "the call that was open");
    while health.message().await.is_ok_and(|answer| answer.is_some_and(|answer| answer.status == 1)) {}
    stopping.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_cut_off_by_its_deadline_gives_its_thread_back() {
    let app = TestApp::with(Engine::Sqlite, |setup| {
        setup.hashing.threads = 1;
        setup.hashing.memory_kib = 64 * 1_024;
        setup.hashing.iterations = 4;
        setup.server.request_timeout = Duration::from_millis(20);
    })
    .await;
    let mut client = app.client().await;
    let refused = client.login(login_request("ada@example.com")).await.unwrap_err();
    assert_eq!(refused.code(), Code::DeadlineExceeded);
    assert!(!app.passwords.is_idle(), "the thread still hashes, and so the next one waits");
    while !app.passwords.is_idle() {
        tokio::task::yield_now().await;
    }
}
