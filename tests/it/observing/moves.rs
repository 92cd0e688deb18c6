//! Each metric moves when its thing happens.

use std::{sync::Arc, time::Duration};

use countersign::proto::{LogoutRequest, RequestPasswordResetRequest, WatchRevocationsRequest, WhoAmIRequest};
use tokio::{net::TcpStream, task::JoinSet};
use tonic::{Code, Request};

use super::{scrape, watched};
use crate::{
    support::{
        Engine, Moody, TestApp,
        grpc::{login, login_request, refresh, sign_up, with_bearer},
        on_both_engines,
        process::in_time,
        proxy::Proxy,
    },
    token_service::{ask, connect, let_in, verify},
};

const ADA: &str = "ada@example.com";

/// How much these have grown by what is done: no more and no less.
async fn expect(app: &TestApp, grown: &[(&str, f64)], what: impl AsyncFnOnce()) {
    let before = scrape(app).await;
    what().await;
    let after = scrape(app).await;
    for (series, by) in grown {
        let (before, after) = (before.get(series), after.get(series));
        assert!((after - before - by).abs() < 1e-9, "{series}: {before} → {after}\n{}", scrape(app).await.text);
    }
}

fn call(method: &str, code: &str) -> String {
    format!("rpc_requests_total{{method=\"countersign.v1.{method}\",code=\"{code}\"}}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in() {
    let app = watched(Engine::Sqlite, |setup| setup.policy.require_verified_email = true).await;
    let mut client = app.client().await;
    let (ok, refused) = (call("AuthService/SignUp", "OK"), call("AuthService/Login", "UNAUTHENTICATED"));
    let took = "rpc_duration_seconds_count{method=\"countersign.v1.AuthService/SignUp\"}";
    let hashed = ("hash_duration_seconds_count", 1.0);
    expect(&app, &[(&ok, 1.0), (took, 1.0), hashed, ("hash_wait_seconds_count", 1.0)], async || {
        sign_up(&mut client, ADA).await;
    })
    .await;
    let outcome = |outcome| format!("sign_ins_total{{outcome=\"{outcome}\"}}");
    expect(&app, &[(&outcome("bad_credentials"), 1.0), (&refused, 1.0), hashed], async || {
        login(&mut client, "nobody@example.com").await.unwrap_err();
    })
    .await;
    expect(&app, &[(&outcome("email_unverified"), 1.0), (&outcome("ok"), 0.0)], async || {
        login(&mut client, ADA).await.unwrap_err();
    })
    .await;
    let verification = app.verification(ADA).await;
    expect(&app, &[(&outcome("ok"), 1.0)], async || {
        client.verify_email(verification.verify_by_token()).await.unwrap();
        login(&mut client, ADA).await.unwrap();
    })
    .await;
    expect(&app, &[(&outcome("account_disabled"), 1.0)], async || {
        app.app.disable_user(&ADA.parse().unwrap()).await.unwrap();
        login(&mut client, ADA).await.unwrap_err();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_and_sessions() {
    let app = watched(Engine::Sqlite, |_| {}).await;
    let tokens = app.signed_in(ADA).await.tokens.unwrap();
    let mut client = app.client().await;
    let mut ask_with = async |token: &str| drop(client.who_am_i(with_bearer(WhoAmIRequest {}, token)).await);
    let checked = |outcome| format!("tokens_checked_total{{outcome=\"{outcome}\"}}");
    expect(&app, &[(&checked("ok"), 1.0)], async || ask_with(&tokens.access_token).await).await;
    expect(&app, &[(&checked("token_invalid"), 1.0)], async || ask_with("v4.public.x").await).await;
    let mut bare = app.client().await;
    expect(&app, &[(&checked("not_signed_in"), 1.0)], async || drop(bare.who_am_i(WhoAmIRequest {}).await)).await;
    let gateway = let_in(&app, "gateway", &["countersign"]).await;
    expect(&app, &[(&checked("ok"), 1.0), (&checked("token_invalid"), 1.0)], async || {
        let mut service = connect(&app).await;
        verify(&mut service, &gateway, ask(&tokens.access_token)).await.unwrap();
        verify(&mut service, &gateway, ask("v4.public.x")).await.unwrap();
    })
    .await;

    let refreshed = |outcome| format!("refreshes_total{{outcome=\"{outcome}\"}}");
    let mut renew = async || refresh(&mut client, &tokens.refresh_token).await;
    expect(&app, &[(&refreshed("rotated"), 1.0)], async || drop(renew().await.unwrap())).await;
    expect(&app, &[(&refreshed("repeated"), 1.0), (&refreshed("rotated"), 0.0)], async || drop(renew().await.unwrap()))
        .await;
    app.clock.advance(Duration::from_secs(11));
    expect(&app, &[(&refreshed("reused"), 1.0), (&refreshed("session_ended"), 0.0)], async || {
        renew().await.unwrap_err();
    })
    .await;
    expect(&app, &[(&refreshed("session_ended"), 1.0)], async || drop(renew().await.unwrap_err())).await;
    expect(&app, &[(&refreshed("token_invalid"), 1.0)], async || {
        refresh(&mut client, "junk").await.unwrap_err();
    })
    .await;
    expect(&app, &[(&checked("session_ended"), 1.0)], async || {
        drop(client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await);
    })
    .await;
    app.clock.advance(Duration::from_mins(6));
    expect(&app, &[(&checked("token_expired"), 1.0)], async || {
        drop(client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_that_find_no_thread() {
    let app = watched(Engine::Sqlite, |setup| {
        setup.hashing =
            countersign::crypto::HashingSettings { memory_kib: 64 * 1_024, threads: 1, queue: 0, ..setup.hashing };
    })
    .await;
    let before = scrape(&app).await;
    let mut logins = JoinSet::new();
    for _ in 0..8 {
        let mut client = app.client().await;
        logins.spawn(async move { login(&mut client, ADA).await.unwrap_err().code() });
    }
    let refused = logins.join_all().await.into_iter().filter(|code| *code == Code::ResourceExhausted);
    let refused = u32::try_from(refused.count()).unwrap();
    let after = scrape(&app).await;
    let grown = |series| after.get(series) - before.get(series);
    assert!(refused > 0);
    assert!((grown("hash_refused_total{reason=\"queue_full\"}") - f64::from(refused)).abs() < 1e-9);
    assert!((grown("sign_ins_total{outcome=\"overloaded\"}") - f64::from(refused)).abs() < 1e-9);
    let busy = tokio::spawn({
        let mut client = app.client().await;
        async move { login(&mut client, ADA).await }
    });
    in_time(async { while scrape(&app).await.get("hash_running") < 1.0 && !busy.is_finished() {} }).await;
    assert!(busy.await.unwrap().is_err());
}

on_both_engines! {
    async fn letters(engine) {
        let moody = Arc::new(Moody::default());
        let app = watched(engine, |setup| setup.mailer = Some(moody.clone())).await;
        let mut client = app.client().await;
        let letter = |outcome| format!("letters_total{{outcome=\"{outcome}\"}}");
        expect(&app, &[(&letter("delivered"), 1.0)], async || {
            sign_up(&mut client, ADA).await;
            app.deliver().await;
        })
        .await;
        let waiting = ("outbox_letters{state=\"waiting\"}", 1.0);
        expect(&app, &[(&letter("postponed"), 1.0), waiting, ("outbox_oldest_seconds", 60.0)], async || {
            sign_up(&mut client, "busy@example.com").await;
            app.deliver().await;
            app.clock.advance(Duration::from_mins(1));
        })
        .await;
        let given_up = ("outbox_letters{state=\"given_up\"}", 1.0);
        expect(&app, &[(&letter("given_up"), 1.0), given_up, ("outbox_letters{state=\"waiting\"}", 0.0)], async || {
            sign_up(&mut client, "absent@example.com").await;
            app.deliver().await;
        })
        .await;
        expect(&app, &[(&letter("delivered"), 3.0), ("letters_held_back_total", 2.0)], async || {
            for _ in 0..5 {
                client.request_password_reset(RequestPasswordResetRequest { email: ADA.to_owned() }).await.unwrap();
            }
            app.deliver().await;
        })
        .await;
    }

    async fn revocations_keys_and_the_database(engine) {
        let app = watched(engine, |_| {}).await;
        let tokens = app.signed_in(ADA).await.tokens.unwrap();
        let mut client = app.client().await;
        expect(&app, &[("revocations{kind=\"session\"}", 1.0)], async || {
            client.logout(with_bearer(LogoutRequest::default(), &tokens.access_token)).await.unwrap();
        })
        .await;
        expect(&app, &[("signing_keys{state=\"next\"}", 1.0)], async || {
            app.app.publish_next_key().await.unwrap();
        }).await;
        expect(&app, &[("signing_key_age_seconds", 3_600.0)], async || app.clock.advance(Duration::from_hours(1))).await;
        expect(&app, &[("feed_resyncs_total", 1.0)], async || {
            app.database.execute("DELETE FROM revocation_feed").await;
            app.database.execute("UPDATE feed_head SET seq = 0").await;
            let resynced = async { while scrape(&app).await.get("feed_resyncs_total") < 1.0 {} };
            in_time(resynced).await;
        })
        .await;
        let seen = scrape(&app).await;
        assert!((seen.get("database_up") - 1.0).abs() < 1e-9);
        assert!(seen.get("database_connections_max") >= 1.0);
        assert!(seen.get("database_connections{state=\"idle\"}") + seen.get("database_connections{state=\"in_use\"}") >= 1.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_and_listeners() {
    let app = watched(Engine::Sqlite, |setup| setup.server.max_connections_per_client = 2).await;
    let key = let_in(&app, "gateway", &["countersign"]).await;
    let request = with_bearer(WatchRevocationsRequest::default(), key.expose());
    let stream = connect(&app).await.watch_revocations(request).await.unwrap();
    let reaches = async |series: &str, value: f64| {
        in_time(async { while (scrape(&app).await.get(series) - value).abs() > 1e-9 {} }).await;
    };
    reaches("watchers", 1.0).await;
    reaches("connections", 1.0).await;
    let second = TcpStream::connect(app.address).await.unwrap();
    reaches("connections", 2.0).await;
    let _third = TcpStream::connect(app.address).await.unwrap();
    reaches("connections_refused_total{reason=\"client_limit\"}", 1.0).await;
    drop((second, stream));
    reaches("watchers", 0.0).await;
    reaches("connections", 0.0).await;
}

/// A call that nobody waits for any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_cut_short_is_counted() {
    let app = watched(Engine::Sqlite, |_| {}).await;
    app.with_account(ADA).await;
    let lock = app.database.lock().await;
    let calling = tokio::spawn({
        let mut client = app.client().await;
        async move { client.login(Request::new(login_request(ADA))).await }
    });
    // From then on it waits for what the lock holds.
    in_time(async { while scrape(&app).await.get("hash_duration_seconds_count") < 2.0 {} }).await;
    calling.abort();
    let cancelled = call("AuthService/Login", "CANCELLED");
    in_time(async { while scrape(&app).await.get(&cancelled) < 1.0 {} }).await;
    lock.release().await;
}

/// SQLite has one writer: of three who sign in while it is held up, two wait for it, or all of them where a letter that is just being
/// sent has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_connection_is_seen() {
    let app = watched(Engine::Sqlite, |_| {}).await;
    app.with_account(ADA).await;
    let reach = async |enough: std::ops::RangeInclusive<f64>| {
        in_time(async { while !enough.contains(&scrape(&app).await.get("database_waiting")) {} }).await;
    };
    reach(0.0..=0.0).await;
    let lock = app.database.lock().await;
    let mut calls = JoinSet::new();
    for _ in 0..3 {
        let mut client = app.client().await;
        calls.spawn(async move { client.login(Request::new(login_request(ADA))).await });
    }
    reach(2.0..=3.0).await;
    lock.release().await;
    for signed_in in calls.join_all().await {
        signed_in.unwrap();
    }
    reach(0.0..=0.0).await;
}

/// How old the knowledge of revocations is grows, and what only the database knows nobody does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_is_seen() {
    let app = watched(Engine::Postgres, |setup| setup.look_timeout = Duration::from_millis(100)).await;
    let proxy = Proxy::before(app.database.port()).await;
    let app = app.restart_with(|setup| setup.database_port = Some(proxy.port)).await;
    let well = scrape(&app).await;
    assert!(well.get("database_up") > 0.5 && well.get("outbox_oldest_seconds") < 1e-9);
    proxy.cut();
    let away = in_time(async {
        loop {
            app.clock.advance(Duration::from_secs(1));
            let seen = scrape(&app).await;
            if seen.get("database_up") < 0.5 && seen.get("revocations_age_seconds") > 10.0 {
                break seen;
            }
        }
    })
    .await;
    assert!(away.get("outbox_letters{state=\"waiting\"}").is_nan() && away.get("outbox_oldest_seconds").is_nan());
}
