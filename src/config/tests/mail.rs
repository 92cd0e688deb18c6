use std::fs;

use super::*;
use crate::mail::{Security, Transport};

/// Mail that leaves, in production.
const SMTP: [(&str, &str); 4] = [
    ("mail.transport", "smtp"),
    ("mail.from", "Example <no-reply@example.com>"),
    ("mail.link_base", "https://app.example.com"),
    ("mail.smtp_host", "smtp.example.com"),
];

/// What an operator might get wrong, each with the setting that the report must name, and no other.
const BAD: &[(&[(&str, &str)], &str)] = &[
    (&[("mail.from", "")], "mail.from"),
    (&[("mail.from", "Example")], "mail.from"),
    (&[("mail.from", "a@example.com, b@example.com")], "mail.from"),
    (&[("mail.from", "A\r\nBcc: x@example.com <no-reply@example.com>")], "mail.from"),
    (&[("mail.link_base", "")], "mail.link_base"),
    (&[("mail.link_base", "http://app.example.com")], "mail.link_base"),
    (&[("mail.link_base", "https://app.example.com/")], "mail.link_base"),
    (&[("mail.link_base", "https://app.example.com?a=b")], "mail.link_base"),
    (&[("mail.link_base", "app.example.com")], "mail.link_base"),
    (&[("mail.smtp_host", "")], "mail.smtp_host"),
    (&[("mail.smtp_host", "smtp.example.com:587")], "mail.smtp_host"),
    (&[("mail.smtp_host", "smtps://smtp.example.com")], "mail.smtp_host"),
    (&[("mail.smtp_host", "smtp example com")], "mail.smtp_host"),
    (&[("mail.smtp_security", "none")], "mail.smtp_security"),
    (&[("mail.smtp_security", "ssl")], "mail.smtp_security"),
    (&[("mail.smtp_security", "none"), ("mail.smtp_host", "10.0.0.1")], "mail.smtp_security"),
    (&[("mail.smtp_security", "none"), ("mail.smtp_host", "localhost.example.com")], "mail.smtp_security"),
    (&[("mail.smtp_port", "65536")], "mail.smtp_port"),
    (&[("mail.smtp_port", "smtp")], "mail.smtp_port"),
    (&[("mail.smtp_username", "ada")], "mail.smtp_password"),
    (&[("mail.smtp_password", "secret")], "mail.smtp_username"),
    (&[("mail.smtp_password_file", "/dev/null"), ("mail.smtp_username", "ada")], "mail.smtp_password_file"),
    (&[("mail.smtp_password_file", "/nowhere/password"), ("mail.smtp_username", "ada")], "mail.smtp_password_file"),
    (&[("mail.smtp_password", "two\nlines"), ("mail.smtp_username", "ada")], "mail.smtp_password"),
    (&[("mail.smtp_password", "secret"), ("mail.smtp_username", "a\u{0}b")], "mail.smtp_username"),
    (&[("mail.smtp_timeout", "0s")], "mail.smtp_timeout"),
    (&[("mail.smtp_timeout", "2m")], "mail.smtp_timeout"),
    (&[("mail.smtp_roots", "/nowhere/roots.pem")], "mail.smtp_roots"),
    (&[("mail.smtp_roots", "/dev/null")], "mail.smtp_roots"),
    (&[("mail.templates", "/nowhere/at/all")], "mail.templates"),
    (&[("mail.templates", "/dev/null")], "mail.templates"),
    (&[("mail.transport", "")], "mail.transport"),
    (&[("mail.transport", "SMTP")], "mail.transport"),
];

fn operator() -> Operator {
    Operator::production().sets(&SMTP)
}

fn smtp(operator: &Operator) -> crate::mail::SmtpSettings {
    match operator.loads().unwrap().mail.transport {
        Transport::Smtp(settings) => *settings,
        other => panic!("{other:?}"),
    }
}

#[test]
fn bad_settings_of_mail_are_refused_by_their_name() {
    assert!(operator().loads().is_ok());
    for (settings, key) in BAD {
        let problems = operator().sets(settings).loads().expect_err(&format!("{settings:?}"));
        assert_eq!(keys(&problems), [*key], "{settings:?}: {problems}");
        assert!(!problems.to_string().contains("secret"), "{problems}");
    }
}

#[test]
fn a_mail_server_is_spoken_to_as_the_settings_say() {
    let usual = smtp(&operator());
    assert_eq!((usual.security, usual.port, usual.host.as_str()), (Security::Tls, 465, "smtp.example.com"));
    assert_eq!((usual.from.name.as_str(), usual.from.email.as_str()), ("Example", "no-reply@example.com"));
    assert!(usual.credentials.is_none() && usual.roots.is_none());

    let starttls = smtp(&operator().sets(&[("mail.smtp_security", "starttls")]));
    assert_eq!((starttls.security, starttls.port), (Security::StartTls, 587));
    let chosen = smtp(&operator().sets(&[("mail.smtp_port", "2525")]));
    assert_eq!(chosen.port, 2_525);
    for host in ["localhost", "127.0.0.1", "::1"] {
        let plain = smtp(&operator().sets(&[("mail.smtp_security", "none"), ("mail.smtp_host", host)]));
        assert_eq!((plain.security, plain.port), (Security::None, 25), "{host}");
    }
    let elsewhere = [("mail.transport", "smtp"), ("mail.smtp_security", "none"), ("mail.smtp_host", "mail")];
    let developer = Operator::new().sets(&elsewhere).sets(&[("mail.from", "a@example.com")]);
    assert_eq!(smtp(&developer).security, Security::None, "as between containers, where the names are made up");
}

#[test]
fn a_password_comes_from_a_file_and_is_shown_nowhere() {
    let operator = operator();
    let file = operator.writes("password", "hunter2 🔑\n");
    let operator = operator.sets(&[("mail.smtp_username", "ada"), ("mail.smtp_password_file", file.to_str().unwrap())]);
    let settings = smtp(&operator);
    let (name, password) = settings.credentials.clone().unwrap();
    assert_eq!((name.as_str(), secrecy::ExposeSecret::expose_secret(&password)), ("ada", "hunter2 🔑"));
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn production_without_mail_is_said_aloud() {
    assert!(matches!(Operator::production().loads().unwrap().mail.transport, Transport::None));
    let silent = Operator::production().sets(&[("mail.transport", "")]).report();
    assert!(silent.contains("mail.transport") && silent.contains("user create"), "{silent}");
    let terminal = Operator::production().sets(&[("mail.transport", "console")]).report();
    assert!(terminal.contains("the log"), "{terminal}");
}

#[test]
fn letters_of_ones_own_are_checked_when_the_settings_are() {
    let operator = operator();
    let folder = operator.folder.path().join("letters");
    fs::create_dir(&folder).unwrap();
    let operator = operator.sets(&[("mail.templates", folder.to_str().unwrap())]);
    let report = |name: &str, text: &str| {
        fs::write(folder.join(name), text).unwrap();
        let report = operator.loads().err().map(|problems| problems.to_string());
        fs::remove_file(folder.join(name)).unwrap();
        report
    };
    let fine = "Subject: Welcome\n\n{{ service }}: {{ link }}\n";
    assert_eq!(report("verification.en.txt", fine), None);
    assert_eq!(report("README.md", "{{ anything }}"), None, "not a letter by its ending");
    for (name, text, part) in [
        ("verification.fr.txt", fine, "verification.fr.txt is of no letter"),
        ("verify.en.txt", fine, "verify.en.txt is of no letter"),
        ("verification.en.txt", "Subject: x\n\n{{ link }} {{ email }}", "the unknown placeholder email"),
        ("password_changed.en.txt", "Subject: x\n\n{{ link }}", "the unknown placeholder link"),
        ("letter.html", "<p>{{ password }}</p>", "the unknown placeholder password"),
        ("verification.en.txt", "Subject: x\n\n{{ link", "verification.en.txt cannot be used"),
        ("verification.en.txt", "Subject: x\n\n{{ link|shout }}", "verification.en.txt cannot be used"),
        ("verification.en.txt", "Welcome\n\n{{ link }}", "must begin with a line `Subject: …`"),
        ("verification.en.txt", "Subject: x\n{{ link }}", "must begin with a line `Subject: …`"),
        ("verification.en.txt", "Subject: x\n\nWelcome", "verification.en.txt shows neither"),
        ("verification.de.html", "<p>Willkommen</p>", "verification.de.html shows neither"),
    ] {
        let report = report(name, text).expect(name);
        assert!(report.contains("mail.templates") && report.contains(part), "{name}: {report}");
    }
}
