//! What waits in the outbox, once it is opened: a letter to somebody, or an errand that may lead to one.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use super::text;
use crate::domain::{Email, Locale, Timestamp};

/// What a row of the outbox holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// To be sent as it is.
    Letter(Envelope),
    /// To be looked into first.
    Errand(Errand),
}

/// A letter, and whom it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Whom it is for.
    pub to: Recipient,
    /// What it says.
    pub content: Content,
}

/// Whom a letter is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// The user whom the row names, wherever mail reaches them when it is sent.
    Owner,
    /// An address that is not, or may no longer be, a user's.
    Address {
        /// The address.
        #[serde(with = "text")]
        email: Email,
        /// What whoever reads there understands.
        #[serde(with = "text")]
        locale: Locale,
    },
}

/// Something to do for an address of which nobody knows whether it has an account. The call that asked for it does not look,
/// so that it takes the same time in either case; the delivery does, where nobody times it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    /// Let whoever has the address confirm it, unless that is done.
    Verification {
        /// The address.
        #[serde(with = "text")]
        email: Email,
    },
    /// Let whoever has the address choose a new password.
    PasswordReset {
        /// The address.
        #[serde(with = "text")]
        email: Email,
    },
    /// Tell whoever has the address that somebody tried to sign up with it.
    SignUpRepeated {
        /// The address.
        #[serde(with = "text")]
        email: Email,
    },
}

/// What a person is told. Holds nothing that a stranger can choose, so that nobody can make us write for them, but what a
/// device calls itself, which is shown as plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Somebody tried to sign up with an address that has an account.
    SignUpRepeated,
    /// A session was ended because its refresh token was used twice.
    SessionEnded,
    /// How to confirm the address of a new account.
    Verification(Code),
    /// How to choose a new password.
    PasswordReset(Code),
    /// How to confirm the new address of an account; goes to that address.
    EmailChange(Code),
    /// Another address was asked for; goes to the present one.
    EmailChangeRequested,
    /// The account has another address now; goes to the one before.
    EmailChanged,
    /// The password was changed.
    PasswordChanged,
    /// Somebody signed in from a device that was not seen before.
    NewDevice {
        /// What the device calls itself.
        user_agent: String,
        /// Where it called from, where that is known.
        address: Option<IpAddr>,
        /// When.
        #[serde(with = "super::moment")]
        at: Timestamp,
    },
    /// The account will be deleted.
    DeletionScheduled {
        /// When.
        #[serde(with = "super::moment")]
        at: Timestamp,
    },
    /// The account is gone; goes to the address that it had.
    AccountDeleted,
}

/// What proves that somebody reads the mail of an address: once, and for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// What the link in the letter carries.
    pub token: OneTime,
    /// What can be typed instead.
    pub code: OneTime,
    /// Until when both are good. A letter that is late is not sent any more.
    #[serde(with = "super::moment")]
    pub expires_at: Timestamp,
}

/// A secret that a letter carries.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OneTime(String);

impl OneTime {
    /// From the text of it: of letters, digits, `-` and `_`, so that a link can carry it as it is.
    #[must_use]
    pub const fn from_text(text: String) -> Self {
        Self(text)
    }

    /// The text of it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OneTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTime([REDACTED])")
    }
}

/// The text is not a [`Message`] of this version. Says nothing of what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the letter is not readable")]
pub struct InvalidMessage;

impl Message {
    /// As it is sealed.
    ///
    /// # Errors
    /// Never, unless the library fails.
    pub fn to_text(&self) -> Result<String, InvalidMessage> {
        serde_json::to_string(self).map_err(|_| InvalidMessage)
    }

    /// Reads it back.
    ///
    /// # Errors
    /// When another version wrote it.
    pub fn from_text(text: &str) -> Result<Self, InvalidMessage> {
        serde_json::from_str(text).map_err(|_| InvalidMessage)
    }
}

impl Content {
    /// From when on there is no use in sending it.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Verification(code) | Self::PasswordReset(code) | Self::EmailChange(code) => Some(code.expires_at),
            Self::SignUpRepeated
            | Self::SessionEnded
            | Self::EmailChangeRequested
            | Self::EmailChanged
            | Self::PasswordChanged
            | Self::NewDevice { .. }
            | Self::DeletionScheduled { .. }
            | Self::AccountDeleted => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(to: Recipient, content: Content) -> Message {
        Message::Letter(Envelope { to, content })
    }

    #[test]
    fn a_message_is_read_back() {
        let at = Timestamp::from_unix_millis(1_800_000_000_123);
        let secret = |text: &str| OneTime::from_text(text.to_owned());
        let code = Code { token: secret("t-_1"), code: secret("12345678"), expires_at: at };
        let email: Email = "Ada@bücher.example".parse().unwrap();
        let elsewhere = Recipient::Address { email: email.clone(), locale: Locale::De };
        for message in [
            letter(Recipient::Owner, Content::SessionEnded),
            letter(elsewhere.clone(), Content::EmailChange(code)),
            letter(elsewhere, Content::NewDevice { user_agent: "\"<b>\n".to_owned(), address: None, at }),
            Message::Errand(Errand::PasswordReset { email }),
        ] {
            let text = message.to_text().unwrap();
            assert_eq!(Message::from_text(&text), Ok(message), "{text}");
        }
        for text in ["", "{}", "\"letter\"", r#"{"letter":{"to":"owner","content":"poem"}}"#] {
            assert_eq!(Message::from_text(text), Err(InvalidMessage), "{text}");
        }
        let two = r#"{"errand":{"verification":{"email":"ada@example.com,bob@example.com"}}}"#;
        assert_eq!(Message::from_text(two), Err(InvalidMessage));
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", OneTime::from_text("1234".to_owned())), "OneTime([REDACTED])");
    }
}
