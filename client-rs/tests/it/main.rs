//! One binary for every test: the verifier beside the real service, and real servers behind the layer.
#![expect(unreachable_pub, clippy::unwrap_used, reason = "tests: what cannot be had ends them")]

mod support;

mod agreement;
mod claims;
mod examples;
mod feed;
mod keys;
mod layer_grpc;
mod layer_http;
mod streams;
mod tls;
mod vectors;
