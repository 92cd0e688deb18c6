//! Ring 0: the types and rules of signing in. Pure: no async, no I/O, no clock, no randomness of its own.

mod access_token;
mod audit;
mod backend;
mod code;
mod device_token;
mod display_name;
mod edge;
mod email;
mod feed;
mod feed_mark;
mod id;
mod letter;
mod letter_limit;
mod locale;
mod metadata;
mod password;
mod refresh_token;
mod role;
mod session;
mod signing_key;
mod timestamp;
mod user;

pub use access_token::{AccessToken, Claims, LONGEST_ACCESS_LIFETIME};
pub use audit::{AuditEvent, AuditKind};
pub use backend::{
    Audience, BackendDigest, BackendKey, BackendKeyParts, BackendName, InvalidAudience, InvalidBackendKey,
    InvalidBackendName, RegisteredBackend,
};
pub use code::{Code, CodeDigest, CodeDigits, CodePurpose, CodeToken, InvalidCode};
pub use device_token::{DeviceToken, DeviceTokenParts, Sighting};
pub use display_name::{DisplayName, InvalidDisplayName};
pub use edge::EdgeState;
pub use email::{Email, InvalidEmail};
pub use feed::{FeedCursor, FeedEntry, FeedPage, News, Rewound, STAYS_REVOKED_FOR};
pub use feed_mark::{FeedMark, InvalidFeedMark};
pub use id::{AuditId, BackendId, DeviceId, InvalidId, KeyId, LeaseId, LetterId, SessionId, TokenId, UserId};
pub use letter::{OutboxLetter, SealedLetter};
pub use letter_limit::{LetterLimit, UsedUntil};
pub use locale::{InvalidLocale, Locale};
pub use metadata::{InvalidMetadata, Metadata};
pub use password::{InvalidPassword, NewPassword, Password, PasswordHash, PasswordPolicy, WeakPassword};
pub use refresh_token::{Generation, InvalidRefreshToken, RefreshToken, RefreshTokenParts, SessionSalt};
pub use role::{InvalidRole, Role};
pub use session::{Device, EndReason, Refreshing, Session, SessionLifetimes, SessionState};
pub use signing_key::{KeyState, PublicKey, PublicKeys, SealedKey};
pub use timestamp::{Ticks, Timestamp};
pub use user::{User, UserEpoch};
