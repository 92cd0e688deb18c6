//! What people are told by mail: all of it, once, and only them.

mod hosts;
mod kills;
mod nodes;
mod outage;
mod outbox;
mod smtp;
