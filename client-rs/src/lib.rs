//! Lets a Rust service trust countersign's access tokens.
//!
//! A [`Verifier`] verifies them offline, with the public keys that countersign publishes. An [`AuthLayer`] puts it before the
//! handlers of axum, tonic, or anything else that speaks [`http`] through tower: who is not let in never reaches them.

#[cfg(feature = "axum")]
mod axum;
mod builder;
mod cache;
mod claims;
mod clock;
#[cfg(feature = "feed")]
mod feed;
mod id;
mod keys;
mod layer;
mod payload;
mod refusal;
mod token;
mod verifier;

pub use builder::{BuildError, VerifierBuilder};
pub use claims::Claims;
#[cfg(feature = "feed")]
pub use feed::{Ear, Feed, Follower, OnStale, Upstream};
pub use id::{InvalidId, SessionId, TokenId, UserId};
pub use keys::KeySetError;
pub use layer::{Auth, AuthBody, AuthLayer, BoxError};
pub use refusal::Refusal;
pub use verifier::Verifier;

/// Generated from `proto/`.
#[cfg(feature = "client")]
#[expect(clippy::allow_attributes_without_reason, clippy::pedantic, missing_docs, reason = "generated code")]
pub mod proto {
    tonic::include_proto!("countersign.v1");
    include!(concat!(env!("OUT_DIR"), "/redacted.rs"));
}

/// What the README shows compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
