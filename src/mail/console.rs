//! Mail for whoever develops: on the terminal, where they see it.

use std::io::Write as _;

use super::{Mail, Mailer};

/// Writes letters to standard error.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConsoleMailer;

impl Mailer for ConsoleMailer {
    fn send(&self, mail: &Mail) {
        if let Err(error) = write!(std::io::stderr().lock(), "{}", boxed(mail)) {
            tracing::warn!(%error, "a letter could not be written to standard error");
        }
    }
}

/// Set off from the log around it.
fn boxed(mail: &Mail) -> String {
    let lines: String = mail.to_string().lines().map(|line| format!("│ {line}").trim_end().to_owned() + "\n").collect();
    format!("┌ mail\n{lines}└\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Notice;

    #[test]
    fn a_letter_stands_out() {
        let mail = Mail { to: "ada@example.com".parse().unwrap(), notice: Notice::SignUpRepeated };
        let text = boxed(&mail);
        assert!(
            text.starts_with("┌ mail\n│ To: ada@example.com\n│ Subject: You have an account already\n│\n│ Somebody")
        );
        assert!(text.ends_with("\n└\n"));
    }
}
