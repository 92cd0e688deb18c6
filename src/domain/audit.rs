//! What happened to accounts and sessions, written in the transaction that made it happen.

use super::{AuditId, Device, SessionId, Timestamp, UserId};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// This entry.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: AuditKind,
    /// To whom.
    pub user: UserId,
    /// In or to which session.
    pub session: Option<SessionId>,
    /// From where.
    pub by: Device,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditKind {
    /// A person made an account.
    SignedUp,
    /// Somebody tried to sign up with an address that has an account.
    SignUpRepeated,
    /// An operator made an account.
    UserCreated,
    /// An operator disabled an account.
    UserDisabled,
    /// An operator enabled an account again.
    UserEnabled,
    /// A session was opened.
    SignedIn,
    /// A session was ended by its holder.
    SignedOut,
    /// Every session of a user was ended by one of its holders.
    SignedOutEverywhere,
    /// A session was ended by its owner, perhaps from another one.
    SessionRevoked,
    /// Every other session of a user was ended from one of them.
    OtherSessionsRevoked,
    /// A signed-in person proved again who they are.
    Reauthenticated,
    /// An address was shown to be its account's owner's.
    EmailVerified,
    /// A password was replaced by way of the account's mail.
    PasswordReset,
    /// A password was replaced by somebody who knew it.
    PasswordChanged,
    /// Another address was asked for.
    EmailChangeRequested,
    /// An account has another address.
    EmailChanged,
    /// A person changed what they say of themselves.
    ProfileUpdated,
    /// A person was handed all that is stored of them.
    AccountExported,
    /// A person asked for the end of their account.
    DeletionScheduled,
    /// They came back before it.
    DeletionCancelled,
    /// It came.
    UserDeleted,
    /// Somebody offered the digits of a one-time code, right or wrong.
    CodeTried,
    /// A session was found expired when somebody wanted to refresh it.
    SessionExpired,
    /// A session was ended because a refresh token was used twice.
    TokenReused,
    /// A session was ended again, because the database had been set back to before it first was.
    RevokedAgain,
    /// An operator declared a database that was set back to be the one that counts: everything in it was ended.
    RestoreAccepted,
}

impl AuditKind {
    /// The name that is stored and logged.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedUp => "signed_up",
            Self::SignUpRepeated => "sign_up_repeated",
            Self::UserCreated => "user_created",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::SignedOutEverywhere => "signed_out_everywhere",
            Self::SessionRevoked => "session_revoked",
            Self::OtherSessionsRevoked => "other_sessions_revoked",
            Self::Reauthenticated => "reauthenticated",
            Self::EmailVerified => "email_verified",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
            Self::EmailChangeRequested => "email_change_requested",
            Self::EmailChanged => "email_changed",
            Self::ProfileUpdated => "profile_updated",
            Self::AccountExported => "account_exported",
            Self::DeletionScheduled => "deletion_scheduled",
            Self::DeletionCancelled => "deletion_cancelled",
            Self::UserDeleted => "user_deleted",
            Self::CodeTried => "code_tried",
            Self::SessionExpired => "session_expired",
            Self::TokenReused => "token_reused",
            Self::RevokedAgain => "revoked_again",
            Self::RestoreAccepted => "restore_accepted",
        }
    }
}
