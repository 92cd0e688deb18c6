//! The log at its most talkative: no secret that went through the service is in it, and nothing that was sent can forge it.

use countersign::proto::{
    LoginResponse, LogoutRequest, LogoutResponse, RefreshRequest, RefreshResponse, ResetPasswordRequest, TokenDelivery,
    Tokens, VerifyEmailRequest, WhoAmIRequest,
};
use http::{HeaderMap, Method};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Status;

use crate::support::{
    Database, Engine, PASSWORD,
    grpc::{Client, login, login_request, refresh, sign_up, with_bearer},
    http::{Encoding, Http, Version, frame},
    on_both_engines,
    process::{Binary, Output, Serving, in_time},
};

const PAGE: &str = "http://localhost:3000";
const EMAIL: &str = "canary-address@example.com";

/// Everything that must not be in the log, and a name for each that may be shown.
#[derive(Default)]
struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    fn add(&mut self, name: &'static str, value: impl Into<String>) {
        let value = value.into();
        assert!(value.len() >= 8, "{name} is too short to be looked for");
        self.0.push((name, value));
    }

    fn add_tokens(&mut self, tokens: &Tokens) {
        self.add("an access token", &tokens.access_token);
        self.add("a refresh token", &tokens.refresh_token);
        if let Some(device) = &tokens.device_token {
            self.add("a device token", device);
        }
    }

    fn add_cookies(&mut self, headers: &HeaderMap, count: usize) -> String {
        let lines = headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap());
        let pairs: Vec<&str> = lines.map(|line| line.split(';').next().unwrap()).collect();
        assert_eq!(pairs.len(), count);
        for pair in &pairs {
            self.add("a cookie", pair.split_once('=').unwrap().1);
        }
        pairs.join("; ")
    }

    fn check(&self, text: &str) {
        for (name, value) in &self.0 {
            // Also when only its beginning or its end was printed.
            let ends = [&value[..value.len().min(24)], &value[value.len().saturating_sub(24)..]];
            assert!(!ends.iter().any(|part| text.contains(part)), "{name} is in the log:\n{text}");
        }
    }
}

async fn by_bearer(client: &mut Client, canaries: &mut Canaries) -> Vec<Status> {
    sign_up(client, EMAIL).await;
    let first = login(client, EMAIL).await.unwrap().tokens.unwrap();
    canaries.add_tokens(&first);
    client.who_am_i(with_bearer(WhoAmIRequest {}, &first.access_token)).await.unwrap();
    let second = refresh(client, &first.refresh_token).await.unwrap();
    canaries.add_tokens(&second);
    client.logout(with_bearer(LogoutRequest::default(), &second.access_token)).await.unwrap();
    // Its owner would be told by mail.
    sign_up(client, EMAIL).await;

    let mut wrong = login_request(EMAIL);
    "canary-wrong-password".clone_into(&mut wrong.password);
    let mut weak = login_request("canary-not-an-address");
    weak.password = "canary-long-password".repeat(60);
    canaries.add("a wrong password", "canary-wrong-password");
    canaries.add("a malformed address", "canary-not-an-address");
    canaries.add("a password that is too long", "canary-long-password");
    canaries.add("a malformed token", "canary-token");
    canaries.add("a code", "canary-code-token");
    canaries.add("digits", "91827364");
    canaries.add("a new password", "canary-new-password");
    let by_token = VerifyEmailRequest { token: "cs_ot_canary-code-token".to_owned(), ..Default::default() };
    let by_digits = ResetPasswordRequest {
        email: EMAIL.to_owned(),
        code: "91827364".to_owned(),
        new_password: "canary-new-password".to_owned(),
        ..Default::default()
    };
    vec![
        client.verify_email(by_token).await.unwrap_err(),
        client.reset_password(by_digits).await.unwrap_err(),
        client.login(wrong).await.unwrap_err(),
        client.login(weak).await.unwrap_err(),
        client.who_am_i(with_bearer(WhoAmIRequest {}, &second.access_token)).await.unwrap_err(),
        client.who_am_i(with_bearer(WhoAmIRequest {}, "v4.public.canary-token")).await.unwrap_err(),
        refresh(client, "cs_rt_canary-token").await.unwrap_err(),
        refresh(client, &second.refresh_token).await.unwrap_err(),
    ]
}

async fn by_cookie(http: &Http, canaries: &mut Canaries) {
    let mut message = login_request(EMAIL);
    message.delivery = TokenDelivery::Cookie.into();
    let (answer, headers) = http.call::<LoginResponse>(Encoding::Text, "Login", &message, &[("origin", PAGE)]).await;
    answer.unwrap();
    let cookies = canaries.add_cookies(&headers, 3);
    let message = RefreshRequest { delivery: TokenDelivery::Cookie.into(), ..Default::default() };
    let headers = [("origin", PAGE), ("cookie", &cookies)];
    let (answer, headers) = http.call::<RefreshResponse>(Encoding::Binary, "Refresh", &message, &headers).await;
    answer.unwrap();
    let cookies = canaries.add_cookies(&headers, 2);
    let evil = [("origin", "https://evil.example"), ("cookie", cookies.as_str())];
    let _ =
        http.call::<LogoutResponse>(Encoding::Binary, "Logout", &LogoutRequest::default(), &evil).await.0.unwrap_err();
    let headers = [("origin", PAGE), ("cookie", &cookies)];
    http.call::<LogoutResponse>(Encoding::Text, "Logout", &LogoutRequest::default(), &headers).await.0.unwrap();
    let path = "/countersign.v1.AuthService/Login?password=canary-in-the-query";
    canaries.add("a query", "canary-in-the-query");
    http.send(Method::POST, path, &[("content-type", "application/grpc-web+proto")], frame(&login_request(EMAIL)))
        .await;
}

/// The database says no: its words are in the log, and the values that it was given are not.
async fn by_faults(client: &mut Client, database: &Database, canaries: &mut Canaries) -> Vec<Status> {
    database.execute("UPDATE users SET password_hash = '$argon2id$v=19$canary-stored-hash'").await;
    canaries.add("a stored hash", "canary-stored-hash");
    let corrupt = client.login(login_request(EMAIL)).await.unwrap_err();
    database.execute("ALTER TABLE audit_events RENAME TO lost").await;
    let mut message = crate::support::grpc::sign_up_request("canary-second@example.com");
    "canary-display-name".clone_into(&mut message.display_name);
    canaries.add("a display name", "canary-display-name");
    canaries.add("a second address", "canary-second");
    vec![corrupt, client.sign_up(message).await.unwrap_err()]
}

fn talkative(database: &Database, format: &str) -> Binary {
    // PostgreSQL trusts this machine here, whatever the password.
    let url = database.url(None).replace("postgres@", "postgres:canary-database-password@");
    Binary::default()
        .patient()
        .with("COUNTERSIGN_DATABASE__URL", url)
        .with("COUNTERSIGN_SERVER__REFLECTION", "false")
        // On the terminal of a developer letters are no log, and name whom they are for.
        .with("COUNTERSIGN_MAIL__TRANSPORT", "none")
        .with("COUNTERSIGN_LOG__LEVEL", "trace")
        .with("COUNTERSIGN_LOG__FORMAT", format)
}

/// All lines that are not the announcement.
fn events(output: &Output) -> Vec<&str> {
    output.stderr.lines().filter(|line| !line.starts_with("listening on ")).collect()
}

fn assert_whole(output: &Output, format: &str) {
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""), "{output:?}");
    for line in events(output) {
        if format == "json" {
            assert!(serde_json::from_str::<serde_json::Value>(line).unwrap()["timestamp"].is_string(), "{line}");
        } else {
            let mut words = line.split_whitespace();
            assert!(
                words.next().unwrap().ends_with('Z') && words.next().unwrap().chars().all(char::is_uppercase),
                "{line}"
            );
        }
    }
}

async fn no_secret_is_logged(engine: Engine, format: &str) {
    let database = Database::create(engine).await;
    let binary = talkative(&database, format);
    let serving = binary.serve().await;
    let mut canaries = Canaries::default();
    canaries.add("the password", PASSWORD);
    canaries.add("the address", EMAIL);
    canaries.add("a hash", "$argon2id$");
    canaries.add("the database's password", "canary-database-password");
    let master = std::fs::read_to_string(binary.folder.path().join("data/master.key")).unwrap();
    canaries.add("the master key", master.trim().strip_prefix("cs_mk_").unwrap());
    canaries.add("a sealed key", database.text("SELECT sealed FROM signing_keys").await.unwrap());

    let mut client = serving.client().await;
    let mut refusals = by_bearer(&mut client, &mut canaries).await;
    for version in [Version::Http1, Version::Http2] {
        by_cookie(&Http { address: serving.address, version, tls: None }, &mut canaries).await;
    }
    let created =
        binary.run_with_input(&["user", "create", "--password-stdin", "--email", "eve@example.com"], PASSWORD);
    let created = created.await;
    assert_eq!(created.code, Some(0), "{created:?}");
    refusals.extend(by_faults(&mut client, &database, &mut canaries).await);

    for refusal in &refusals {
        canaries.check(&format!("{refusal:?}"));
        canaries.check(&String::from_utf8_lossy(refusal.details()));
    }
    let ended = serving.stop().await;
    assert_whole(&ended, format);
    for told in ["answered", "refused: cross-site request", "the call failed", "AuthService/Logout"] {
        assert!(ended.stderr.contains(told), "{told} is not in the log, so that nothing was proved:\n{}", ended.stderr);
    }
    canaries.check(&ended.stderr);
    canaries.check(&created.stderr);
}

on_both_engines! {
    async fn no_secret_is_in_the_log_as_text(engine) {
        no_secret_is_logged(engine, "text").await;
    }

    async fn no_secret_is_in_the_log_as_json(engine) {
        no_secret_is_logged(engine, "json").await;
    }
}

/// Sends bytes as they are and takes whatever comes back, until the service hangs up.
async fn send_raw(serving: &Serving, bytes: &[u8]) {
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let _ = in_time(stream.read_to_end(&mut Vec::new())).await;
}

#[tokio::test]
async fn nothing_that_is_sent_can_forge_a_line_or_drive_the_terminal() {
    // A C1 control that begins a sequence, a right-to-left override, a line separator, a carriage return, a bell.
    let nasty = "x\u{9b}31m\u{202e}\u{2028}\u{85}";
    let raw_only = "y\r\n2026-01-01T00:00:00Z ERROR forged\u{1b}[31m\u{7}\u{7f}\0";
    for format in ["text", "json"] {
        let database = Database::create(Engine::Sqlite).await;
        let binary = talkative(&database, format);
        let serving = binary.serve().await;
        sign_up(&mut serving.client().await, "ada@example.com").await;
        for text in [nasty, raw_only] {
            for place in ["path", "user-agent", "origin", "x-forwarded-for", "cookie"] {
                let path = if place == "path" { text } else { "" };
                let header = if place == "path" { "x-other" } else { place };
                let body = frame(&login_request("ada@example.com"));
                let head = format!(
                    "POST /countersign.v1.AuthService/Login{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}: {text}\r\n\
                     content-type: application/grpc-web+proto\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                send_raw(&serving, &[head.as_bytes(), &body].concat()).await;
            }
        }
        // A path whose hundredth byte is inside a character.
        send_raw(
            &serving,
            format!("POST /{}{nasty} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "é".repeat(60)).as_bytes(),
        )
        .await;

        let stored = "SELECT COUNT(*) FROM sessions WHERE user_agent LIKE 'x31m%'";
        assert_eq!(database.number(stored).await, 1, "what is stored has lost its controls");
        let ended = serving.stop().await;
        assert_whole(&ended, format);
        let forging = ended.stderr.chars().find(|&c| c != '\n' && is_unsafe(c));
        assert_eq!(forging, None, "{}", ended.stderr);
        assert!(
            ended.stderr.contains(&"é".repeat(49)) && !ended.stderr.contains(&"é".repeat(50)),
            "a path is cut short"
        );
        assert!(!ended.stderr.lines().any(|line| line.starts_with("2026-01-01")), "{}", ended.stderr);
    }
}

fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
