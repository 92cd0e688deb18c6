//! countersign: signs people in over gRPC and gRPC-web, issues PASETO tokens, and lets every other service verify them.
//!
//! ```text
//!         main · cli · config · telemetry                         ring 4
//!                      │
//!                   server ─────────────┐                         ring 4
//!                      │                │
//!                    grpc ── proto      │                         ring 3
//!                      │                │
//!                     app ◄─────────────┘                         ring 2
//!    ┌──────┬───────┬──┴────┬───────┬────────────┐
//!  clock entropy crypto   store   mail     revocations            ring 1 (never each other; crypto may name the first two)
//!    └──────┴───────┴──┬────┴───────┴────────────┘
//!                   domain                                        ring 0
//! ```
//!
//! Arrows point down or inward only; `tests/it/architecture.rs` holds the rule, for our modules and for outside crates.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod entropy;
pub mod grpc;
pub mod mail;
pub mod revocations;
pub mod server;
pub mod store;
pub mod telemetry;

/// Generated from `proto/`.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::pedantic,
    missing_docs,
    reason = "generated code"
)]
pub mod proto {
    tonic::include_proto!("countersign.v1");
    include!(concat!(env!("OUT_DIR"), "/redacted.rs"));

    /// The compiled `proto/`, for reflection.
    pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));
}
