//! Mail for whoever develops: on the terminal, where they see it.

use std::io::Write as _;

use super::{Mail, MailError, Mailer, Sending};

/// Writes letters to standard error.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConsoleMailer;

impl Mailer for ConsoleMailer {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        let written = write!(std::io::stderr().lock(), "{}", boxed(mail));
        let failed = |error| MailError::Postponed { why: format!("standard error cannot be written to: {error}") };
        Box::pin(std::future::ready(written.map_err(failed)))
    }
}

/// Set off from the log around it.
fn boxed(mail: &Mail) -> String {
    let letter = format!("To: {}\nSubject: {}\n\n{}", mail.to, mail.content.subject, mail.content.text);
    let lines: String = letter.lines().map(|line| format!("│ {line}").trim_end().to_owned() + "\n").collect();
    format!("┌ mail\n{lines}└\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{LetterId, Locale, Timestamp},
        mail::{Content, Templates},
    };

    #[test]
    fn a_letter_stands_out() {
        let at = Timestamp::from_unix_millis(0);
        let templates = Templates::load(None, "Example", "http://localhost:3000".parse().unwrap()).unwrap();
        let content = templates.render(&Content::SignUpRepeated, Locale::En).unwrap();
        let mail = Mail { id: LetterId::new(at, [0; 10]), at, to: "ada@example.com".parse().unwrap(), content };
        let text = boxed(&mail);
        assert!(
            text.starts_with("┌ mail\n│ To: ada@example.com\n│ Subject: You have an account already\n│\n│ Somebody"),
            "{text}"
        );
        assert!(text.ends_with("\n└\n"));
    }
}
