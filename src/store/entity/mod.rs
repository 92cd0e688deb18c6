//! The tables, as SeaORM sees them. Private to the store: what leaves it is of the domain.

#[expect(unreachable_pub, reason = "the derive makes types of it that are public")]
pub(super) mod audit_event;
pub(super) mod backend;
#[expect(unreachable_pub, reason = "the derive makes types of it that are public")]
pub(super) mod feed_head;
pub(super) mod revocation;
pub(super) mod session;
pub(super) mod signing_key;
pub(super) mod user;
