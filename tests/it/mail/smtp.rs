//! What a real mail server gets: one letter for one person, over a way that is as safe as the settings say.

use countersign::{
    domain::{LetterId, Locale, Timestamp},
    mail::{Content, Mail, MailError, Mailer as _, Security, SmtpMailer, SmtpSettings},
};

use crate::support::{smtp::SmtpServer, templates, tls::Tls};

const USER: Option<(&str, &str)> = Some(("ada", "pass:word 🔑"));

fn mail(to: &str) -> Mail {
    let at = Timestamp::from_unix_millis(1_800_000_000_000);
    let content = templates().render(&Content::SignUpRepeated, Locale::De).unwrap();
    Mail { id: LetterId::new(at, [7; 10]), at, to: to.parse().unwrap(), content }
}

async fn send(settings: SmtpSettings, to: &str) -> Result<(), MailError> {
    SmtpMailer::new(settings).unwrap().send(&mail(to)).await
}

fn why(outcome: Result<(), MailError>) -> String {
    match outcome.unwrap_err() {
        MailError::Postponed { why } => why,
        MailError::Refused { why } => panic!("refused for good: {why}"),
    }
}

#[tokio::test]
async fn a_letter_arrives_over_every_kind_of_way() {
    for (security, user) in [
        (Security::None, None),
        (Security::Tls, None),
        (Security::Tls, USER),
        (Security::StartTls, None),
        (Security::StartTls, USER),
    ] {
        let mut server = SmtpServer::with(security, user, Tls::create()).await;
        send(server.settings(), "ada@example.com").await.unwrap();
        let letters = server.letters().await;
        assert_eq!(letters.len(), 1, "{security:?}");
        assert_eq!(
            (letters[0].from.as_str(), letters[0].to.as_slice()),
            ("no-reply@example.com", &["ada@example.com".to_owned()][..])
        );
        assert_eq!(letters[0].tls, security != Security::None, "{security:?}");
        assert_eq!(letters[0].user.as_deref(), user.map(|(name, _)| name), "{security:?}");
    }
}

#[tokio::test]
async fn who_cannot_prove_to_be_the_mail_server_gets_nothing() {
    for security in [Security::Tls, Security::StartTls] {
        let mut server = SmtpServer::with(security, USER, Tls::create()).await;
        let other = SmtpServer::with(security, USER, Tls::create()).await;
        let forged =
            why(send(SmtpSettings { roots: Some(other.roots()), ..server.settings() }, "ada@example.com").await);
        assert!(forged.contains("certificate"), "{forged}");
        let unknown = why(send(SmtpSettings { roots: None, ..server.settings() }, "ada@example.com").await);
        assert!(unknown.contains("certificate"), "{unknown}");
        let mut elsewhere = SmtpServer::with(security, USER, Tls::of(&["mail.example.com"])).await;
        let misnamed = why(send(elsewhere.settings(), "ada@example.com").await);
        assert!(misnamed.contains("certificate"), "{misnamed}");
        assert!(server.letters().await.is_empty() && elsewhere.letters().await.is_empty());
    }
}

#[tokio::test]
async fn without_the_tls_that_was_asked_for_nothing_is_said() {
    let mut server = SmtpServer::start().await;
    let stripped = SmtpSettings { security: Security::StartTls, ..server.settings() };
    let stripped = SmtpSettings { credentials: Some(("ada".to_owned(), "secret".into())), ..stripped };
    assert_eq!(
        why(send(stripped, "ada@example.com").await),
        "STARTTLS failed: internal client error: STARTTLS is not supported on this server"
    );
    let plain = SmtpSettings { security: Security::Tls, ..server.settings() };
    assert!(why(send(plain, "ada@example.com").await).starts_with("connecting failed"));
    assert!(server.letters().await.is_empty());
}

#[tokio::test]
async fn a_wrong_password_of_ours_is_no_fault_of_the_letter() {
    let mut server = SmtpServer::with(Security::StartTls, USER, Tls::create()).await;
    let wrong = SmtpSettings { credentials: Some(("ada".to_owned(), "wrong".into())), ..server.settings() };
    assert_eq!(why(send(wrong, "ada@example.com").await), "AUTH was answered 535");
    let none = SmtpSettings { credentials: None, ..server.settings() };
    assert_eq!(why(send(none, "ada@example.com").await), "MAIL was answered 530");
    assert!(server.letters().await.is_empty());
}

#[tokio::test]
async fn only_what_is_said_of_the_letter_is_held_against_it() {
    let mut server = SmtpServer::start().await;
    let refused = |code| Err(MailError::Refused { why: format!("RCPT was answered {code}") });
    assert_eq!(send(server.settings(), "absent@example.com").await, refused(550));
    assert_eq!(why(send(server.settings(), "busy@example.com").await), "RCPT was answered 451");
    for (mood, reason) in [
        ("strict", "MAIL was answered 550"),
        ("busy", "RCPT was answered 451"),
        ("full", "the letter was answered 452"),
        ("cutting", "the letter "),
        ("refusing", "connecting failed: Connection error: Connection refused"),
    ] {
        server.turn(mood).await;
        let why = why(send(server.settings(), "ada@example.com").await);
        assert!(why.starts_with(reason), "{mood}: {why}");
    }
    server.turn("well").await;
    assert!(server.letters().await.is_empty());
    send(server.settings(), "ada@example.com").await.unwrap();
    assert_eq!(server.letters().await.len(), 1);
}

#[tokio::test]
async fn a_server_that_never_says_a_word_is_not_waited_for() {
    for security in [Security::None, Security::Tls, Security::StartTls] {
        let mut server = SmtpServer::with(security, None, Tls::create()).await;
        server.turn("silent").await;
        let impatient = SmtpSettings { timeout: std::time::Duration::from_millis(300), ..server.settings() };
        assert_eq!(why(send(impatient, "ada@example.com").await), "connecting took too long", "{security:?}");
    }
}

/// Whatever the address: one recipient, and these headers.
#[tokio::test]
async fn every_address_gets_one_letter_with_the_same_headers() {
    let mut server = SmtpServer::start().await;
    let addresses = [
        ("ada@example.com", "ada@example.com"),
        ("Ada@Example.COM", "Ada@example.com"),
        ("o'hara+%0d%0abcc:eve=example.org@example.com", ""),
        ("o'hara+%0d%0abcc=eve@example.com", "o'hara+%0d%0abcc=eve@example.com"),
        ("!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"),
        ("-oQ/tmp@example.com", "-oQ/tmp@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@ｅｘａｍｐｌｅ.com", "ada@example.com"),
        ("ada@例え.テスト", "ada@xn--r8jz45g.xn--zckzah"),
    ];
    for (address, received) in addresses {
        let Ok(_) = address.parse::<countersign::domain::Email>() else {
            assert_eq!(received, "", "{address}");
            continue;
        };
        send(server.settings(), address).await.unwrap();
        let letter = server.letters().await.pop().unwrap();
        assert_eq!(letter.to, [received], "{address}");
        assert_eq!(letter.options.iter().filter(|option| !option.starts_with("SIZE")).count(), 0, "{letter:?}");
        let names: Vec<String> = letter.headers().into_iter().map(|(name, _)| name).collect();
        let expected =
            ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"];
        assert_eq!(names, expected, "{address}");
        assert_eq!(letter.header("To"), received);
        assert_eq!(letter.header("Auto-Submitted"), "auto-generated");
        assert_eq!(letter.header("Message-ID"), format!("<{}@example.com>", mail(address).id));
    }
    assert_eq!(server.letters().await.len(), addresses.len() - 1);
}

#[tokio::test]
async fn a_letter_that_is_sent_again_can_be_told_by_every_byte() {
    let mut server = SmtpServer::start().await;
    server.turn("forgetful").await;
    assert!(why(send(server.settings(), "ada@example.com").await).starts_with("the letter "));
    server.turn("well").await;
    send(server.settings(), "ada@example.com").await.unwrap();
    let letters = server.letters().await;
    assert_eq!(letters.len(), 2, "taken, and not said so");
    assert_eq!(letters[0], letters[1]);
}
