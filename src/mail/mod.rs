//! Ring 1: what people are told by mail, and the ways it leaves.

mod console;

use std::{fmt, str::FromStr};

pub use console::ConsoleMailer;

use crate::domain::Email;

/// A letter to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Whom it goes to.
    pub to: Email,
    /// What it is about.
    pub notice: Notice,
}

/// What a person is told of their account. Holds nothing that a stranger can choose, so that nobody can make us write for
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Somebody tried to sign up with an address that has an account.
    SignUpRepeated,
    /// A session was ended because its refresh token was used twice.
    SessionEnded,
}

impl Notice {
    /// The subject line.
    #[must_use]
    pub const fn subject(self) -> &'static str {
        match self {
            Self::SignUpRepeated => "You have an account already",
            Self::SessionEnded => "Your session was ended",
        }
    }

    /// The letter, in plain text.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::SignUpRepeated => {
                "Somebody tried to sign up with this address, which has an account.\n\
                 If it was you, sign in with the password that you chose then. If not, there is nothing to do."
            }
            Self::SessionEnded => {
                "One of your sessions was ended, because its credential was used twice: somebody may have a copy.\n\
                 Sign in again. If this happens more than once, look for what reads your browser's or your app's data."
            }
        }
    }
}

/// Sends mail.
pub trait Mailer: Send + Sync {
    /// Sends a letter, or takes it over; never waits for it.
    fn send(&self, mail: &Mail);
}

/// Sends none: where no transport is set.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMailer;

impl Mailer for NoMailer {
    fn send(&self, mail: &Mail) {
        tracing::debug!(subject = mail.notice.subject(), "no mail transport is set: a letter was dropped");
    }
}

/// How mail leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Not at all.
    None,
    /// To standard error, for whoever develops.
    Console,
}

/// The text names no transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be \"none\" or \"console\"")]
pub struct InvalidTransport;

impl FromStr for Transport {
    type Err = InvalidTransport;

    fn from_str(text: &str) -> Result<Self, InvalidTransport> {
        match text {
            "none" => Ok(Self::None),
            "console" => Ok(Self::Console),
            _ => Err(InvalidTransport),
        }
    }
}

impl fmt::Display for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "To: {}", self.to)?;
        writeln!(f, "Subject: {}\n", self.notice.subject())?;
        f.write_str(self.notice.text())
    }
}
