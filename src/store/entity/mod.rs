//! The tables, as SeaORM sees them. Private to the store: what leaves it is of the domain.

pub(super) mod audit_event;
pub(super) mod session;
pub(super) mod signing_key;
pub(super) mod user;
