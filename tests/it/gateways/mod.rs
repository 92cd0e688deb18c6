//! Gateways that ask before they let a request through: what they are told, and what services behind them see.

mod envoy;
mod peers;
mod verify;
