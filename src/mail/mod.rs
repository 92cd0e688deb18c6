//! Ring 1: what people are told by mail, and the ways it leaves.

mod console;
mod message;
mod moment;
mod templates;
mod text;

use std::{fmt, future::Future, pin::Pin, str::FromStr};

pub use console::ConsoleMailer;
pub use message::{Code, Content, Envelope, Errand, InvalidMessage, Message, OneTime, Recipient};
pub use templates::{Rendered, Templates};

use crate::domain::{Email, LetterId, Timestamp};

/// A letter to one person, ready to leave.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The letter's, the same each time it is sent.
    pub id: LetterId,
    /// When it was written.
    pub at: Timestamp,
    /// Whom it goes to.
    pub to: Email,
    /// What it says.
    pub content: Rendered,
}

/// A letter has not left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Nothing is known against it: another time it may.
    #[error("not now: {why}")]
    Postponed {
        /// Without names or addresses.
        why: String,
    },
    /// It will not be taken, however often it is tried.
    #[error("refused for good: {why}")]
    Refused {
        /// Without names or addresses.
        why: String,
    },
}

/// What comes of sending a letter.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>>;

/// Sends mail.
pub trait Mailer: Send + Sync {
    /// Sends a letter. Ends in bounded time; after `Ok` somebody else is responsible for it.
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a>;
}

/// Sends none: where no transport is set.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMailer;

impl Mailer for NoMailer {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        tracing::debug!(letter = %mail.id, "no mail transport is set: a letter was dropped");
        Box::pin(std::future::ready(Ok(())))
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

impl fmt::Debug for Mail {
    /// Who is written to, and the codes in it, are nobody else's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("id", &self.id).finish_non_exhaustive()
    }
}
