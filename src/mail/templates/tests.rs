//! The letters as people get them, and what cannot get into them.

use std::{collections::BTreeSet, fs};

use insta::assert_snapshot;

use super::*;
use crate::{
    domain::Timestamp,
    mail::{Code, OneTime},
};

fn templates(service: &str) -> Templates {
    Templates::load(None, service, "https://app.example.com".parse().unwrap()).unwrap()
}

fn code() -> Code {
    let secret = |text: &str| OneTime::from_text(text.to_owned());
    let expires_at = Timestamp::from_unix_millis(1_800_000_000_000);
    Code { token: secret("tOk-_3n"), code: secret("12345678"), expires_at }
}

#[test]
fn a_letter_says_what_to_do_in_text_and_in_html() {
    let letter = templates("Example").render(&Content::PasswordReset(code()), Locale::En).unwrap();
    assert_snapshot!(format!("{}\n\n{}", letter.subject, letter.text), @r"
    Choose a new password

    Somebody asked for a new password for your account at Example. To choose one, open this link:

    https://app.example.com/reset-password#token=tOk-_3n

    Or type this code where you are asked for it:

    12345678

    Both work once, until 2027-01-15 08:00 UTC. If it was not you, there is nothing to do: your password stays as it is. Never pass the link or the code on to anybody, whoever asks.
    ");
    let link = "https://app.example.com/reset-password#token=tOk-_3n";
    let html = letter.html.replace("&#x2f;", "/");
    assert!(html.contains(&format!("<a href=\"{link}\">{link}</a>")), "{html}");
    assert!(html.contains(">12345678</p>") && html.contains("<html lang=\"en\">"), "{html}");
    for foreign in ["<img", "<link", "<script", "url(", "src="] {
        assert!(!html.contains(foreign), "it fetches nothing, and so tells nobody that it was read: {html}");
    }
}

#[test]
fn every_letter_speaks_both_languages() {
    let templates = templates("Example");
    for content in samples() {
        let [english, german] = Locale::ALL.map(|locale| templates.render(&content, locale).unwrap());
        assert_ne!(english.subject, german.subject, "{content:?}");
        assert_ne!(english.text, german.text, "{content:?}");
        for letter in [english, german] {
            assert!(letter.text.contains("Example") && letter.html.contains("Example"), "{content:?}");
            assert!(letter.subject.chars().count() <= 60, "{}", letter.subject);
        }
    }
}

#[test]
fn what_comes_with_the_program_is_what_lies_in_the_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mail/letters");
    let files: BTreeSet<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let listed: BTreeSet<String> = BUILT_IN.iter().map(|(file, _)| (*file).to_owned()).collect();
    assert_eq!(files, listed);
}

#[test]
fn what_others_chose_is_text_and_nothing_more() {
    let user_agent = "<a href=\"https://evil.example\">click</a>\r\n\r\nhttps://evil.example {{ link }}".to_owned();
    let at = Timestamp::from_unix_millis(0);
    let content = Content::NewDevice { user_agent, address: Some("2001:db8::1".parse().unwrap()), at };
    for locale in Locale::ALL {
        let letter = templates("<b>Müller & \"Söhne\"</b> {{ link }}").render(&content, locale).unwrap();
        for part in [&letter.text, &letter.html] {
            assert!(!part.contains("evil.example") && !part.contains("://"), "{part}");
            assert!(part.contains("2001:db8::1"), "{part}");
        }
        assert!(!letter.html.contains("<b>") && !letter.html.contains("<a "), "{}", letter.html);
        assert!(letter.html.contains("&lt;b&gt;Müller &amp; "), "{}", letter.html);
    }
}

#[test]
fn an_operators_letters_take_the_place_of_the_built_in_ones() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("verification.en.txt", "Subject: Hello from {{ service }}\r\n\r\nYour code: {{ code }}\r\n");
    write("password_reset.de.html", "<p>{{ service }}: <a href=\"{{ link }}\">weiter</a></p>");
    write("letter.html", "<main>{{ subject }}{% for paragraph in paragraphs %}|{{ paragraph }}{% endfor %}</main>");
    let links: LinkBase = "https://app.example.com".parse().unwrap();
    let templates = Templates::load(Some(folder.path()), "A&B", links).unwrap();

    let own = templates.render(&Content::Verification(code()), Locale::En).unwrap();
    assert_eq!((own.subject.as_str(), own.text.as_str()), ("Hello from A&B", "Your code: 12345678"));
    assert_eq!(own.html, "<main>Hello from A&amp;B|Your code: 12345678</main>");
    let half = templates.render(&Content::PasswordReset(code()), Locale::De).unwrap();
    assert!(half.html.starts_with("<p>A&amp;B: <a href=\"https:") && half.text.contains("12345678"), "{}", half.html);
    let other = templates.render(&Content::SessionEnded, Locale::En).unwrap();
    assert!(other.html.starts_with("<main>Your session was ended|One of your sessions at A&amp;B"), "{}", other.html);
}
