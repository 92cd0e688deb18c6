//! `make bench-micro`: the parts that a call is made of, each by itself. What a whole call costs is `make bench`.

#![expect(clippy::unwrap_used, reason = "a program that measures")]

use std::{sync::Arc, time::Duration};

use bytes::{BufMut as _, Bytes, BytesMut};
use countersign::{
    clock::{Clock, SystemClock},
    crypto::{AccessTokens, HashingSettings, Keyring, MasterKeys, Passwords, RefreshTokens, seal_new_key},
    domain::{
        AccessToken, Claims, Generation, KeyState, NewPassword, Password, PasswordPolicy, SessionId, SessionSalt,
        Timestamp, TokenId, UserEpoch, UserId,
    },
    entropy::{Entropy, OsEntropy},
    grpc::StrictCodec,
    metrics::Metrics,
    proto::LoginRequest,
};
use divan::{Bencher, black_box};
use http_body_util::Full;
use prost::Message as _;
use tokio::runtime::{Builder, Runtime};
use tonic::codec::{Codec as _, Streaming};

const PASSWORD: &str = "correct horse battery staple";
const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn main() {
    divan::main();
}

fn master_keys() -> MasterKeys {
    use secrecy::ExposeSecret as _;
    MasterKeys::parse(MasterKeys::generate(&OsEntropy).expose_secret()).unwrap()
}

fn access_tokens() -> AccessTokens {
    let master = master_keys();
    let key = seal_new_key(&master, KeyState::Active, NOW, &OsEntropy).unwrap();
    AccessTokens::new(Keyring::open(&[key], &master).unwrap(), "https://auth.example.com", "countersign")
}

fn claims() -> Claims {
    let entropy: &dyn Entropy = &OsEntropy;
    Claims {
        id: TokenId::new(NOW, entropy.bytes()),
        user: UserId::new(NOW, entropy.bytes()),
        session: SessionId::new(NOW, entropy.bytes()),
        epoch: UserEpoch::from_count(0),
        roles: Vec::new(),
        authenticated_at: NOW,
        issued_at: NOW,
        expires_at: NOW + Duration::from_mins(5),
    }
}

#[divan::bench]
fn mint_an_access_token(bencher: Bencher<'_, '_>) {
    let tokens = access_tokens();
    bencher.with_inputs(claims).bench_refs(|claims| tokens.mint(claims).unwrap());
}

/// Each for the first time: reading, the signature, the claims.
#[divan::bench]
fn verify_an_access_token(bencher: Bencher<'_, '_>) {
    let tokens = access_tokens();
    let fresh = || tokens.mint(&claims()).unwrap();
    bencher.with_inputs(fresh).bench_refs(|token: &mut AccessToken| tokens.verify(token, NOW).unwrap());
}

/// One that was seen before.
#[divan::bench]
fn verify_an_access_token_again(bencher: Bencher<'_, '_>) {
    let tokens = access_tokens();
    let token = tokens.mint(&claims()).unwrap();
    bencher.bench(|| tokens.verify(black_box(&token), NOW).unwrap());
}

/// What `/metrics` has of every call that brings a token.
#[divan::bench]
fn count_a_call(bencher: Bencher<'_, '_>) {
    let metrics = Metrics::default();
    bencher.bench(|| {
        metrics.tokens.count(["ok"]);
        metrics.calls.count(["countersign.v1.AuthService/WhoAmI", "OK"]);
        metrics.call_durations.record("countersign.v1.AuthService/WhoAmI", black_box(Duration::from_micros(50)));
    });
}

fn session() -> (RefreshTokens, SessionId, Generation, SessionSalt) {
    let entropy: &dyn Entropy = &OsEntropy;
    let session = SessionId::new(NOW, entropy.bytes());
    (
        RefreshTokens::new(master_keys()),
        session,
        Generation::from_count(7).unwrap(),
        SessionSalt::from_bytes(entropy.bytes()),
    )
}

#[divan::bench]
fn derive_a_refresh_token(bencher: Bencher<'_, '_>) {
    let (tokens, session, generation, salt) = session();
    bencher.bench(|| tokens.derive(black_box(session), generation, &salt));
}

/// What throws out junk before the database is asked, and what the row is held against.
#[divan::bench]
fn check_a_refresh_token(bencher: Bencher<'_, '_>) {
    let (tokens, session, generation, salt) = session();
    let token = tokens.derive(session, generation, &salt);
    bencher.bench(|| {
        let parts = tokens.read(black_box(&token)).unwrap();
        assert!(tokens.is_genuine(&parts, &salt));
    });
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// gRPC's five bytes, and the message behind them.
#[divan::bench]
fn parse_a_frame(bencher: Bencher<'_, '_>) {
    let message =
        LoginRequest { email: "ada@example.com".to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.encoded_len()).unwrap());
    message.encode(&mut frame).unwrap();
    let frame: Bytes = frame.freeze();
    let runtime = runtime();
    bencher.bench_local(|| {
        let decoder = StrictCodec::<LoginRequest, LoginRequest>::default().decoder();
        let mut stream = Streaming::new_request(decoder, Full::new(frame.clone()), None, None);
        runtime.block_on(stream.message()).unwrap().unwrap()
    });
}

/// With the settings of production: 19 MiB, two passes (OWASP Password Storage Cheat Sheet).
#[divan::bench(sample_count = 50, sample_size = 1)]
fn hash_a_password(bencher: Bencher<'_, '_>) {
    let settings = HashingSettings {
        memory_kib: 19_456,
        iterations: 2,
        lanes: 1,
        threads: 1,
        queue: 1,
        max_wait: Duration::from_mins(1),
    };
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let passwords = Passwords::start(settings, &entropy, &clock, Arc::new(Metrics::default())).unwrap();
    let runtime = runtime();
    let hash = runtime
        .block_on(passwords.hash(NewPassword::parse(PASSWORD, PasswordPolicy { min_code_points: 15 }).unwrap()))
        .unwrap();
    bencher.bench_local(|| {
        let password = Password::parse(PASSWORD).unwrap();
        runtime.block_on(passwords.verify(password, Some(hash.clone()))).unwrap()
    });
}
