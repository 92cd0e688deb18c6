//! The tables, as SeaORM sees them. Private to the store: what leaves it is of the domain.

pub(super) mod audit_event;
pub(super) mod backend;
pub(super) mod code;
#[expect(unreachable_pub, reason = "the derive makes types of it that are public")]
pub(super) mod device;
#[expect(unreachable_pub, reason = "the derive makes types of it that are public")]
pub(super) mod feed_head;
#[expect(unreachable_pub, reason = "the derive makes types of it that are public")]
pub(super) mod letter_limit;
#[expect(unreachable_pub, reason = "the derive makes types of it that are public")]
pub(super) mod outbox;
pub(super) mod revocation;
pub(super) mod session;
pub(super) mod signing_key;
pub(super) mod user;
#[expect(unreachable_pub, reason = "the derive makes types of it that are public")]
pub(super) mod user_metadata;
