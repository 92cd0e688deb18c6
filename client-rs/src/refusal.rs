//! Why a token does not pass.

/// Why a token does not pass. The names are those of countersign's own reasons, where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// `TOKEN_EXPIRED`: it was good once. Its owner has to refresh.
    #[error("the access token has expired")]
    Expired,
    /// `TOKEN_INVALID`: it is not one of countersign's, or not for this service, or not yet. Its owner has to sign in.
    #[error("the access token is not valid")]
    Invalid,
    /// `SESSION_ENDED`: its session has ended. Its owner has to sign in. Only a verifier that follows the feed knows.
    #[error("the session has ended: sign in again")]
    SessionEnded,
    /// `UNAVAILABLE`: the keys that could tell cannot be had now. Nothing is known to be wrong with the token.
    #[error("the keys that verify tokens cannot be had: try again")]
    KeysUnavailable,
    /// `UNAVAILABLE`: whether its session has ended cannot be known now. Nothing is known to be wrong with the token.
    #[error("whether sessions have ended cannot be known: try again")]
    Stale,
}
