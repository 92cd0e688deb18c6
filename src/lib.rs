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
//!   ┌───────┬───────┬────┬──┴────┬───────┬────────┬─────────┐
//! clock entropy metrics crypto store   mail  upstream revocations  ring 1 (never each other; crypto may name the first three)
//!   └───────┴───────┴────┴──┬────┴───────┴────────┴─────────┘
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
pub mod metrics;
pub mod revocations;
pub mod server;
pub mod store;
pub mod telemetry;
pub mod upstream;

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
    include!(concat!(env!("OUT_DIR"), "/methods.rs"));

    /// The compiled `proto/`, for reflection.
    pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));

    /// What Envoy calls.
    pub const GATEWAY_METHOD: &str = "envoy.service.auth.v3.Authorization/Check";

    /// How spans reach a collector.
    pub mod otlp {
        include!(concat!(env!("OUT_DIR"), "/otlp.rs"));
    }
}
