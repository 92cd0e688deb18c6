//! What the letters may say of the case at hand: each placeholder, and what is put in its place.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::super::{Code, Content, LinkBase, OneTime};
use crate::domain::Timestamp;

/// Placeholders and what is put in their place.
pub(super) type Values = BTreeMap<&'static str, String>;

/// More of what a device calls itself than this helps nobody.
const MAX_DEVICE_CHARS: usize = 120;

/// The name of a letter, which its files begin with.
pub(super) const fn name(content: &Content) -> &'static str {
    match content {
        Content::SignUpRepeated => "sign_up_repeated",
        Content::SessionEnded => "session_ended",
        Content::Verification(_) => "verification",
        Content::PasswordReset(_) => "password_reset",
        Content::EmailChange(_) => "email_change",
        Content::EmailChangeRequested => "email_change_requested",
        Content::EmailChanged => "email_changed",
        Content::PasswordChanged => "password_changed",
        Content::NewDevice { .. } => "new_device",
        Content::DeletionScheduled { .. } => "deletion_scheduled",
        Content::AccountDeleted => "account_deleted",
    }
}

/// What a letter can be filled in with.
pub(super) fn values(content: &Content, service: &str, links: &LinkBase) -> Values {
    let coded = |path, code: &Code| {
        let link = links.link(path, &code.token);
        vec![("link", link), ("code", code.code.expose().to_owned()), ("expires", moment(code.expires_at))]
    };
    let own = match content {
        Content::Verification(code) => coded("verify-email", code),
        Content::PasswordReset(code) => coded("reset-password", code),
        Content::EmailChange(code) => coded("change-email", code),
        Content::NewDevice { user_agent, address, at } => {
            let address = address.map(|address| address.to_string()).unwrap_or_default();
            vec![("device", device(user_agent)), ("address", address), ("time", moment(*at))]
        }
        Content::DeletionScheduled { at } => vec![("time", moment(*at))],
        Content::SignUpRepeated
        | Content::SessionEnded
        | Content::EmailChangeRequested
        | Content::EmailChanged
        | Content::PasswordChanged
        | Content::AccountDeleted => Vec::new(),
    };
    own.into_iter().chain([("service", service.to_owned())]).collect()
}

/// One letter of each kind, to try the templates with.
pub(super) fn samples() -> Vec<Content> {
    let at = Timestamp::from_unix_millis(1_800_000_000_000);
    let secret = |text: &str| OneTime::from_text(text.to_owned());
    let code = Code { token: secret("0123456789abcdef"), code: secret("12345678"), expires_at: at };
    vec![
        Content::SignUpRepeated,
        Content::SessionEnded,
        Content::Verification(code.clone()),
        Content::PasswordReset(code.clone()),
        Content::EmailChange(code),
        Content::EmailChangeRequested,
        Content::EmailChanged,
        Content::PasswordChanged,
        Content::NewDevice { user_agent: "Browser/1.0".to_owned(), address: None, at },
        Content::DeletionScheduled { at },
        Content::AccountDeleted,
    ]
}

/// What a device calls itself, without what a mail program would make a link of: a stranger chooses it.
fn device(user_agent: &str) -> String {
    let chars: Vec<char> = user_agent.chars().take(MAX_DEVICE_CHARS).collect();
    let is_digit = |index: Option<usize>| index.and_then(|i| chars.get(i)).is_some_and(char::is_ascii_digit);
    let plain = chars.iter().enumerate().map(|(index, &c)| match c {
        // As in a version: no name of a host looks so.
        '.' if is_digit(index.checked_sub(1)) && is_digit(Some(index + 1)) => c,
        '(' | ')' | '/' | ';' | ',' | '_' | '-' | '+' => c,
        c if c.is_ascii_alphanumeric() => c,
        _ => ' ',
    });
    plain.collect::<String>().split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// As everybody everywhere reads it.
fn moment(at: Timestamp) -> String {
    match OffsetDateTime::from_unix_timestamp(at.unix_seconds()) {
        Ok(at) => format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute()),
        Err(_) => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_readable() {
        assert_eq!(moment(Timestamp::from_unix_millis(1_800_000_000_123)), "2027-01-15 08:00 UTC");
    }

    #[test]
    fn what_a_device_calls_itself_can_neither_link_nor_pretend() {
        let real =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
        assert_eq!(device(real), real);
        for (given, shown) in [
            ("https://evil.example/login?a=b", "https //evil example/login a b"),
            ("www.evil.example", "www evil example"),
            ("call me@evil.example", "call me evil example"),
            ("x\r\n\r\nYour account is closed", "x Your account is closed"),
            ("<a href='//evil'>click</a>", "a href //evil click /a"),
            ("{{ link }}{% raw %}", "link raw"),
            ("\u{202e}txt.exe\u{0}\u{feff}", "txt exe"),
            ("evil。example", "evil example"),
            ("", ""),
        ] {
            assert_eq!(device(given), shown, "{given:?}");
        }
        assert_eq!(device(&"a".repeat(10_000)).len(), MAX_DEVICE_CHARS);
    }
}
