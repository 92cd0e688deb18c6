//! The words of the letters.

use super::{Code, Content};
use crate::domain::Locale;

/// The words of every letter, in every language.
#[derive(Debug, Clone, Copy, Default)]
pub struct Templates;

/// A letter in words.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject line.
    pub subject: String,
    /// The letter, in plain text.
    pub text: String,
}

/// A letter could not be put into words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the letter cannot be put into words")]
pub struct RenderError;

impl Templates {
    /// Puts a letter into words.
    ///
    /// # Errors
    /// When a template fails.
    pub fn render(&self, content: &Content, _locale: Locale) -> Result<Rendered, RenderError> {
        let (subject, text) = words(content);
        Ok(Rendered { subject: subject.to_owned(), text })
    }
}

fn words(content: &Content) -> (&'static str, String) {
    let (subject, text) = match content {
        Content::SignUpRepeated => (
            "You have an account already",
            "Somebody tried to sign up with this address, which has an account.\n\
             If it was you, sign in with the password that you chose then. If not, there is nothing to do.",
        ),
        Content::SessionEnded => (
            "Your session was ended",
            "One of your sessions was ended, because its credential was used twice: somebody may have a copy.\n\
             Sign in again. If this happens more than once, look for what reads your browser's or your app's data.",
        ),
        Content::Verification(code) => return ("Confirm your address", both(code)),
        Content::PasswordReset(code) => return ("Choose a new password", both(code)),
        Content::EmailChange(code) => return ("Confirm your new address", both(code)),
        Content::EmailChangeRequested => ("Your account is to have another address", ""),
        Content::EmailChanged => ("Your account has another address now", ""),
        Content::PasswordChanged => ("Your password was changed", ""),
        Content::NewDevice { user_agent, .. } => ("A new device signed in", user_agent.as_str()),
        Content::DeletionScheduled { .. } => ("Your account will be deleted", ""),
        Content::AccountDeleted => ("Your account was deleted", ""),
    };
    (subject, text.to_owned())
}

fn both(code: &Code) -> String {
    format!("{}\n{}\n", code.token.expose(), code.code.expose())
}
