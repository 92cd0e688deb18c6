//! What a call claims about where it went has no say in what is written, and an address that is none gets no letter.

use std::time::Duration;

use countersign::{
    mail::SmtpMailer,
    proto::{RequestPasswordResetRequest, ResendVerificationRequest, SignUpRequest},
};

use crate::support::{
    Engine, TestApp,
    grpc::{refresh, sign_up, sign_up_request},
    http::{Headers, Version, frame},
    smtp::{Received, SmtpServer},
    wire::Wire,
};

async fn app(server: &SmtpServer) -> TestApp {
    let mailer = SmtpMailer::new(server.settings()).unwrap();
    TestApp::with(Engine::Sqlite, |setup| setup.mailer = Some(std::sync::Arc::new(mailer))).await
}

/// The letter without what is another each time: its id, which is also the boundary of its parts, and its code in both forms.
fn without_chance(letter: &Received) -> String {
    let id = letter.header("Message-ID");
    let id = id.trim_start_matches('<').split('@').next().unwrap().to_owned();
    // Long lines come in pieces.
    let mut text = letter.data.replace("=\r\n", "").replace(&id, "ID");
    while let Some(start) = text.find("cs_ot_") {
        text.replace_range(start..start + 49, "TOKEN");
    }
    let is_code = |word: &&str| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_digit());
    let words = text.split(|char: char| !char.is_ascii_alphanumeric()).filter(is_code).map(ToOwned::to_owned);
    words.collect::<Vec<_>>().iter().fold(text.clone(), |text, code| text.replace(code, "CODE"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_is_the_same_wherever_the_call_pretends_to_have_gone() {
    let mut server = SmtpServer::start().await;
    let app = app(&server).await;
    sign_up(&mut app.client().await, "ada@example.com").await;
    app.deliver().await;
    let email = || "ada@example.com".to_owned();
    let requests = [
        ("SignUp", frame(&sign_up_request("ada@example.com"))),
        ("ResendVerification", frame(&ResendVerificationRequest { email: email() })),
        ("RequestPasswordReset", frame(&RequestPasswordResetRequest { email: email() })),
    ];
    let evil: [Headers<'_>; 6] = [
        &[],
        &[("host", "evil.example")],
        &[("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "http"), ("x-forwarded-port", "1")],
        &[("forwarded", "for=1.2.3.4;host=evil.example;proto=http")],
        &[("x-original-host", "evil.example"), ("x-host", "evil.example"), ("x-original-url", "https://evil.example/")],
        &[("origin", "https://app.example.com"), ("referer", "https://evil.example/reset?token=")],
    ];
    for (method, request) in &requests {
        let before = server.letters().await.len();
        for headers in evil {
            for wire in [Wire::Web(Version::Http1), Wire::Web(Version::Http2)] {
                let outcome = wire.call(&app, method, request, headers).await.outcome();
                assert_eq!(outcome, "Ok", "{method} {wire:?} {headers:?}");
                app.deliver().await;
                app.forget_letter_limits().await;
            }
        }
        let letters = server.letters().await.split_off(before);
        assert_eq!(letters.len(), 12, "{method}");
        for letter in &letters {
            assert_eq!(without_chance(letter), without_chance(&letters[0]), "{method}");
            assert!(!letter.data.contains("evil"), "{}", letter.data);
        }
    }
}

/// On the wire, as an attacker would send it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_not_exactly_one_gets_nobody_a_letter() {
    let mut server = SmtpServer::start().await;
    let app = app(&server).await;
    let mut client = app.client().await;
    for address in [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\nRCPT TO:<eve@example.com>",
        "ada@example.com\r\n .\r\nMAIL FROM:<eve@example.com>",
        "ada\r\n@example.com",
        "ada@example.com,eve@example.com",
        "ada@example.com;eve@example.com",
        "ada@example.com eve@example.com",
        "ada@eve@example.com",
        "ada@example.com@eve.example",
        "\"ada\"@example.com",
        "\"ada@example.com\"@eve.example",
        "\"ada\r\nBcc: eve@example.com\"@example.com",
        "ada(comment)@example.com",
        "<ada@example.com>",
        "Ada <ada@example.com>",
        "ada＠example.com",
        "ädä@example.com",
        "ada@exam\u{ad}ple.com",
        "ada@example.com\u{feff}",
        "ada@[127.0.0.1]",
        "ada@example.com>",
        "ada@example.com\0",
        "@relay.example:ada@example.com",
        "ada%eve.example@example.com\u{85}",
    ] {
        for _ in 0..2 {
            let request = SignUpRequest { email: address.to_owned(), ..sign_up_request("x@example.com") };
            let refusal = client.sign_up(request).await.unwrap_err();
            let told = crate::support::grpc::summary(&refusal);
            assert_eq!(told, "InvalidArgument INVALID_FIELDS email", "{address:?}");
        }
    }
    app.deliver().await;
    assert_eq!(app.database.number("SELECT COUNT(*) FROM outbox").await, 0);
    assert!(server.letters().await.is_empty());
}

/// Nothing of what the caller chose for themselves stands in a letter to the owner.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_has_no_words_in_a_letter_to_somebody_else() {
    let mut server = SmtpServer::start().await;
    let app = app(&server).await;
    let mut client = app.client().await;
    let tokens = app.signed_in("ada@example.com").await.tokens.unwrap();
    let evil = SignUpRequest {
        display_name: "You won! http://evil.example/{{ link }}".to_owned(),
        ..sign_up_request("ADA@example.com")
    };
    client.sign_up(evil).await.unwrap();
    refresh(&mut client, &tokens.refresh_token).await.unwrap();
    app.clock.advance(Duration::from_mins(2));
    refresh(&mut client, &tokens.refresh_token).await.unwrap_err();
    app.deliver().await;
    let letters = server.letters().await;
    assert_eq!(
        letters.len(),
        3,
        "to confirm the address, that it was signed up with again, and the end of the session"
    );
    for letter in letters {
        assert!(!letter.data.contains("evil") && !letter.data.contains("won"), "{}", letter.data);
        assert_eq!(letter.to, ["ada@example.com"]);
    }
}
