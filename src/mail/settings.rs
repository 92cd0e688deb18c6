//! What an operator can set about mail.

use std::{fmt, str::FromStr, time::Duration};

use secrecy::SecretString;

use super::{Templates, smtp::Roots};
use crate::domain::Email;

/// What letters say, and how they leave.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How they leave.
    pub transport: Transport,
    /// What they say.
    pub templates: Templates,
}

/// How mail leaves.
#[derive(Debug, Clone)]
pub enum Transport {
    /// Not at all.
    None,
    /// To standard error, for whoever develops.
    Console,
    /// By way of a mail server.
    Smtp(Box<SmtpSettings>),
}

/// A mail server that takes letters for everybody (RFC 6409), and how it is spoken to.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Its name, which its certificate has to have, or its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is protected.
    pub security: Security,
    /// Whose certificates are believed; Mozilla's list where there is nothing said.
    pub roots: Option<Roots>,
    /// What to sign in with.
    pub credentials: Option<(String, SecretString)>,
    /// Whom letters are from.
    pub from: Sender,
    /// How long one step of the conversation may take.
    pub timeout: Duration,
}

/// How the way to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// TLS after a greeting in the clear, or not at all.
    StartTls,
    /// Not at all: letters, codes and the password can be read on the way.
    None,
}

impl Security {
    /// Where a server usually listens for it.
    #[must_use]
    pub const fn usual_port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

/// The text names no way of protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be \"tls\", \"starttls\" or \"none\"")]
pub struct InvalidSecurity;

impl FromStr for Security {
    type Err = InvalidSecurity;

    fn from_str(text: &str) -> Result<Self, InvalidSecurity> {
        match text {
            "tls" => Ok(Self::Tls),
            "starttls" => Ok(Self::StartTls),
            "none" => Ok(Self::None),
            _ => Err(InvalidSecurity),
        }
    }
}

/// Whom letters are from.
#[derive(Clone, PartialEq, Eq)]
pub struct Sender {
    /// What they are called; may be empty.
    pub name: String,
    /// Their address, which answers go to.
    pub email: Email,
}

/// The text is not a [`Sender`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be like no-reply@example.com, or Example <no-reply@example.com>")]
pub struct InvalidSender;

const MAX_NAME_BYTES: usize = 64;

impl FromStr for Sender {
    type Err = InvalidSender;

    fn from_str(text: &str) -> Result<Self, InvalidSender> {
        let (name, address) = match text.strip_suffix('>') {
            Some(rest) => rest.rsplit_once('<').ok_or(InvalidSender)?,
            None => ("", text),
        };
        let name = name.trim();
        let is_plain = name.len() <= MAX_NAME_BYTES && !name.contains(|c: char| c.is_control() || "<>\"@".contains(c));
        let email = address.parse().map_err(|_| InvalidSender)?;
        if is_plain { Ok(Self { name: name.to_owned(), email }) } else { Err(InvalidSender) }
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_has_one_address_and_perhaps_a_name() {
        for (text, name) in [
            ("no-reply@example.com", ""),
            ("Example <no-reply@example.com>", "Example"),
            ("<no-reply@example.com>", ""),
            ("Müller & Söhne, Köln <no-reply@example.com>", "Müller & Söhne, Köln"),
        ] {
            let sender: Sender = text.parse().unwrap();
            assert_eq!((sender.name.as_str(), sender.email.as_str()), (name, "no-reply@example.com"), "{text}");
        }
        for text in [
            "",
            "Example",
            "Example <no-reply@example.com",
            "no-reply@example.com>",
            "a@example.com, b@example.com",
            "a@example.com <b@example.com>",
            "\"Example\" <no-reply@example.com>",
            "Exam\r\nBcc: x@example.com <no-reply@example.com>",
            "<<no-reply@example.com>>",
        ] {
            assert_eq!(text.parse::<Sender>(), Err(InvalidSender), "{text:?}");
        }
    }
}
