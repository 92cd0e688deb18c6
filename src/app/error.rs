//! Why a use case did not succeed: what the caller may know, and what we must mend.

use std::time::Duration;

use crate::{
    crypto::{CryptoError, HashingError},
    mail::InvalidMessage,
    store::StoreError,
};

/// Why a use case did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// No, and the caller can do something about it. Part of the API.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// We failed. The caller learns nothing more.
    #[error(transparent)]
    Failed(#[from] Fault),
}

/// The ways this service says no: closed, without strings of a caller's, part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Unknown address, wrong password, no password: never told apart.
    #[error("the email address or the password is wrong")]
    BadCredentials,
    /// No credential was presented.
    #[error("sign in first: the call carries no credential")]
    NotSignedIn,
    /// The access token was good once.
    #[error("the access token has expired: call Refresh")]
    TokenExpired,
    /// The credential is not one of ours.
    #[error("the token is not valid: sign in again")]
    TokenInvalid,
    /// The session is over.
    #[error("the session has ended: sign in again")]
    SessionEnded,
    /// The password was right, the address is not confirmed.
    #[error("confirm the email address first")]
    EmailUnverified,
    /// The password was right, the account is disabled.
    #[error("the account is disabled")]
    AccountDisabled,
    /// The one-time code is unknown, used, expired, replaced, or for something else: never told apart.
    #[error("the code is not valid, or not any more: ask for a new one")]
    CodeInvalid,
    /// The caller proved who they are too long ago for this.
    #[error("confirm with the password first: call Reauthenticate")]
    StepUpRequired {
        /// How old the proof may be.
        max_age: Duration,
    },
    /// Whoever calls may not do this.
    #[error("the caller may not do this")]
    Forbidden,
    /// The caller has done this too often lately.
    #[error("too often: try again later")]
    RateLimited {
        /// When another try makes sense.
        retry_after: Duration,
    },
    /// Too many passwords are waiting to be hashed.
    #[error("the service is busy: try again in a moment")]
    Overloaded {
        /// When another try makes sense.
        retry_after: Duration,
    },
}

/// What broke: a chain for the log.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Keys, tokens, hashes.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// Writing a letter.
    #[error(transparent)]
    Mail(#[from] InvalidMessage),
    /// What other nodes have revoked has not been heard for too long.
    #[error("what was revoked elsewhere is not known")]
    Stale,
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<CryptoError> for Error {
    fn from(error: CryptoError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<HashingError> for Error {
    fn from(error: HashingError) -> Self {
        match error {
            HashingError::Overloaded { retry_after } => Rejection::Overloaded { retry_after }.into(),
            HashingError::Failed(error) => error.into(),
        }
    }
}
