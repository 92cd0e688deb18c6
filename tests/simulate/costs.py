"""What one of each costs. **The only file to edit when something is measured anew**; then `python3 tests/simulate --write`.

A cost is MEASURED on this service or its statements, or was in a DESIGN STUDY of the parts that it was made of later, or is
ASSUMED: nobody has measured it yet. All were taken on machines with two processors (AMD EPYC), which others were using or which
made the calls as well, so that they are upper bounds.
"""

from typing import NamedTuple

MEASURED, DESIGN, ASSUMED = "measured", "design study", "assumed"

PGBENCH = "pgbench, 2026-11-28"
START = "[size and start](measurements/2026-11-25-size-and-start.md)"
CALLS = "[what is released](measurements/2026-11-30-what-is-released.md)"
REVOCATION = "[revocation](measurements/2026-11-25-revocation.md)"


class Cost(NamedTuple):
    """A value, what it is of, and where it comes from."""

    value: float
    unit: str
    what: str
    kind: str
    source: str


KIB, MIB = 1024, 1024**2
MICRO, MILLI = 1e-6, 1e-3

COSTS = {
    # A processor of a node, for each call with all that gRPC does. `make bench` prints what replaces these, in this order:
    # "tokens seen before" of both calls, and what "new tokens" take more; Refresh and a sign-in beside its hash, both on
    # PostgreSQL; Argon2id alone; Logout and a message to a listener, on PostgreSQL. The most of several runs.
    "verify_token": Cost(21.0 * MICRO, "s", "a node: VerifyToken, a token seen before", MEASURED, CALLS),
    "who_am_i": Cost(19.6 * MICRO, "s", "a node: WhoAmI, likewise, and its profile", MEASURED, CALLS),
    "signature": Cost(42.7 * MICRO, "s", "a node: a token's signature, and remembering it", MEASURED, CALLS),
    "refresh": Cost(88.3 * MICRO, "s", "a node: Refresh", MEASURED, CALLS),
    "sign_in": Cost(0.46 * MILLI, "s", "a node: Login beside its hash", MEASURED, CALLS),
    "hash": Cost(7.6 * MILLI, "s", "a node: a password's hash", MEASURED, CALLS),
    "revoke": Cost(396 * MICRO, "s", "a node: Logout", MEASURED, CALLS),
    "told": Cost(11.8 * MICRO, "s", "a node: a message to a listener", MEASURED, CALLS),
    # And these it does not.
    "profile": Cost(60 * MICRO, "s", "a node: fetching a profile", ASSUMED, "one statement through SeaORM"),
    "refused": Cost(75 * MICRO, "s", "a node: a Refresh that is refused", ASSUMED, "a call, and waiting"),
    # A processor of the database, all its processes together.
    "db_read": Cost(42 * MICRO, "s", "the database: reading a session and its user", MEASURED, PGBENCH),
    "db_refresh": Cost(175 * MICRO, "s", "the database: a refresh, that read and its update", MEASURED, PGBENCH),
    "db_sign_in": Cost(520 * MICRO, "s", "the database: opening a session", MEASURED, PGBENCH),
    "db_revoke": Cost(310 * MICRO, "s", "the database: ending one", MEASURED, PGBENCH),
    "db_pull": Cost(100 * MICRO, "s", "the database: a node's look at the feed", ASSUMED, "16 short ranges of one index"),
    "db_hint": Cost(50 * MICRO, "s", "the database: a hint", ASSUMED, "NOTIFY by itself"),
    # A connection to the database, for as long as it is held; a commit is on the disk by then.
    "held_read": Cost(0.3 * MILLI, "s", "a connection: that read", MEASURED, PGBENCH),
    "held_refresh": Cost(2.8 * MILLI, "s", "a connection: a refresh", MEASURED, PGBENCH),
    "held_sign_in": Cost(6.2 * MILLI, "s", "a connection: opening a session", MEASURED, PGBENCH),
    "held_revoke": Cost(5.2 * MILLI, "s", "a connection: ending one", MEASURED, PGBENCH),
    # What was the most.
    "refreshes": Cost(2_890, "/s", "refreshes that the database committed", MEASURED, PGBENCH),
    "revocations": Cost(2_190, "/s", "transactions that 16 counters let through", DESIGN, "16 clients, synchronous replication"),
    # The write-ahead log, without the images of pages.
    "wal_refresh": Cost(260, "B", "the log: a refresh", MEASURED, PGBENCH),
    "wal_sign_in": Cost(1_560, "B", "the log: opening a session", MEASURED, PGBENCH),
    "wal_revoke": Cost(1_250, "B", "the log: ending one", MEASURED, PGBENCH),
    "wal_image": Cost(7_780, "B", "the log: the image of a page that is changed first after a checkpoint", MEASURED, PGBENCH),
    "session_heap": Cost(303, "B", "the disk: a session's row", MEASURED, PGBENCH),
    "session_disk": Cost(456, "B", "the disk: that and its indexes", MEASURED, PGBENCH),
    # Memory of a node.
    "node": Cost(34.1 * MIB, "B", "memory: a node that has been used a little", MEASURED, START),
    "hash_memory": Cost(19 * MIB, "B", "memory: each thread that hashes", MEASURED, "`passwords.memory_kib`"),
    "listener": Cost(13 * KIB, "B", "memory: each listener", MEASURED, REVOCATION),
    "entry": Cost(88, "B", "memory: each revocation", ASSUMED, "40 bytes, in a table that is half full"),
    "known_profile": Cost(512, "B", "memory: each profile", ASSUMED, "`src/app/profiles.rs`"),
    "known_token": Cost(512, "B", "memory: each token seen before", ASSUMED, "`src/crypto/verified_tokens.rs`"),
    "call": Cost(16 * KIB, "B", "memory: each call that waits", ASSUMED, "its buffers"),
    # A listener's line.
    "wire_entry": Cost(35, "B", "a line: each revocation", ASSUMED, "computed from `token_service.proto`"),
    "wire_place": Cost(391, "B", "a line: a place in the feed", ASSUMED, "computed: 16 parts of 24 bytes"),
    "wire_frame": Cost(58, "B", "a line: each message, beside those", ASSUMED, "computed: gRPC, HTTP/2, TLS, two times"),
}


def cost(name: str) -> float:
    """The value of a cost, in seconds, bytes or per second."""
    return COSTS[name].value
