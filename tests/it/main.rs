//! One binary for every test that needs the real server, a real database, or the whole tree.
#![expect(unreachable_pub, clippy::unwrap_used, reason = "tests: what cannot be had ends them")]

mod support;

mod account;
mod architecture;
mod authorization;
mod bad_input;
mod cli;
mod connections;
mod cookies;
mod cors;
mod edge;
mod endpoints;
mod failures;
mod gateways;
mod guard;
mod hot_path;
mod keys;
mod mail;
mod migrations;
mod model;
mod nodes;
mod observing;
mod paths;
mod pool;
mod readme;
mod refresh;
mod revocation;
mod rotation;
mod rust_client;
mod sign_up;
mod sweep;
mod token_service;
mod tokens;
mod wire;
