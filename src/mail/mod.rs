//! Ring 1: what people are told by mail, and the ways it leaves.

mod compose;
mod console;
mod links;
mod message;
mod moment;
mod settings;
mod smtp;
mod templates;
mod text;

use std::{fmt, future::Future, pin::Pin};

pub use console::ConsoleMailer;
pub use links::{InvalidLinkBase, LinkBase};
pub use message::{Code, Content, Envelope, Errand, InvalidMessage, Message, OneTime, Recipient};
pub use settings::{InvalidSecurity, InvalidSender, Security, Sender, Settings, SmtpSettings, Transport};
pub use smtp::{InvalidRoots, Roots, SmtpMailer, SmtpSetupError};
pub use templates::{Rendered, TemplateError, Templates};

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

impl fmt::Debug for Mail {
    /// Who is written to, and the codes in it, are nobody else's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("id", &self.id).finish_non_exhaustive()
    }
}
