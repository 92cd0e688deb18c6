//! What people are told by mail: all of it, once, and only them.

mod outbox;
