//! What the service counts about itself, and what that is called: Prometheus stands here and nowhere else.
//!
//! Names of labels and their values are `'static`: nothing that a caller sends becomes one, so that neither the number of
//! series nor what is read in them is up to strangers.

mod instruments;
mod process;

use std::fmt;

use prometheus_client::{encoding::text, metrics::info::Info, registry::Registry};

pub use instruments::{Counter, Counters, Gauge, Gauges, Held, Timing, Timings};
use process::Process;

/// Every instrument, by what it is about. What changes all the time is read when it is asked for, by
/// [`App::measure`](crate::app::App::measure).
pub struct Metrics {
    registry: Registry,
    /// Answered calls, by method and gRPC code.
    pub calls: Counters<2>,
    /// How long they took, by method.
    pub call_durations: Timings,
    /// Handlers that panicked.
    pub panics: Counter,
    /// Open connections.
    pub connections: Gauge,
    /// Connections that were hung up on, by reason.
    pub connections_refused: Counters<1>,
    /// Sign-ins, by outcome.
    pub sign_ins: Counters<1>,
    /// Refreshes, by outcome.
    pub refreshes: Counters<1>,
    /// Access tokens that were looked at, by outcome.
    pub tokens: Counters<1>,
    /// Passwords that wait for a thread.
    pub hash_waiting: Gauge,
    /// Passwords that are being hashed.
    pub hash_running: Gauge,
    /// How long passwords waited.
    pub hash_waits: Timing,
    /// How long hashing took.
    pub hash_durations: Timing,
    /// Passwords that were not hashed, by reason.
    pub hash_refused: Counters<1>,
    /// Whether the database answered when it was last asked.
    pub database_up: Gauge,
    /// Connections to the database, by state.
    pub database_connections: Gauges,
    /// The most of them.
    pub database_connections_max: Gauge,
    /// Statements and transactions that wait for one.
    pub database_waiting: Gauge,
    /// Statements that got none in time.
    pub database_acquire_timeouts: Counter,
    /// Tries to deliver a letter, by outcome.
    pub letters: Counters<1>,
    /// Letters that were not written, because their reader has got too many lately.
    pub letters_held_back: Counter,
    /// Letters in the outbox, by state.
    pub outbox: Gauges,
    /// How long the oldest of those has waited that still may leave.
    pub outbox_oldest: Gauge,
    /// How old the knowledge of what other nodes have revoked is.
    pub revocations_age: Gauge,
    /// Revocations in memory, by what they are of.
    pub revocations: Gauges,
    /// How often the whole feed was read again.
    pub feed_resyncs: Counter,
    /// Services that listen for revocations.
    pub watchers: Gauge,
    /// Signing keys, by state.
    pub signing_keys: Gauges,
    /// How long the key that signs has done so.
    pub signing_key_age: Gauge,
    /// Spans for the collector, by what became of them.
    pub spans: Counters<1>,
}

impl Default for Metrics {
    #[expect(clippy::too_many_lines, reason = "a list")]
    fn default() -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Process::default()));
        let r = registry.sub_registry_with_prefix("countersign");
        r.register("build", "What runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        Self {
            calls: Counters::new(r, "rpc_requests", "Answered calls; of a stream, its beginning", ["method", "code"]),
            call_durations: Timings::new(r, "rpc_duration", "How long calls took until their answer began", "method"),
            panics: Counter::new(r, "panics", "Handlers that panicked"),
            connections: Gauge::new(r, "connections", "Open connections"),
            connections_refused: Counters::new(
                r,
                "connections_refused",
                "Connections that were hung up on",
                ["reason"],
            )
            .with(&["client_limit", "handshake"]),
            sign_ins: Counters::new(r, "sign_ins", "Tries to sign in with a password", ["outcome"]).with(&[
                "ok",
                "bad_credentials",
                "email_unverified",
                "account_disabled",
                "overloaded",
                "failed",
            ]),
            refreshes: Counters::new(r, "refreshes", "Tries to renew a session", ["outcome"]).with(&[
                "rotated",
                "repeated",
                "reused",
                "token_invalid",
                "session_ended",
                "failed",
            ]),
            tokens: Counters::new(r, "tokens_checked", "Access tokens that were looked at", ["outcome"]).with(&[
                "ok",
                "not_signed_in",
                "token_expired",
                "token_invalid",
                "session_ended",
                "failed",
            ]),
            hash_waiting: Gauge::new(r, "hash_waiting", "Passwords that wait for a thread"),
            hash_running: Gauge::new(r, "hash_running", "Passwords that are being hashed"),
            hash_waits: Timing::new(r, "hash_wait", "How long passwords waited for a thread"),
            hash_durations: Timing::new(r, "hash_duration", "How long hashing a password took"),
            hash_refused: Counters::new(r, "hash_refused", "Passwords that were not hashed", ["reason"])
                .with(&["queue_full", "waited_too_long"]),
            database_up: Gauge::new(r, "database_up", "Whether the database answered this scrape"),
            database_connections: Gauges::new(r, "database_connections", "Connections to the database", "state"),
            database_connections_max: Gauge::new(r, "database_connections_max", "The most connections to the database"),
            database_waiting: Gauge::new(
                r,
                "database_waiting",
                "Statements and transactions that wait for a connection",
            ),
            database_acquire_timeouts: Counter::new(
                r,
                "database_acquire_timeouts",
                "Statements that got no connection in time",
            ),
            letters: Counters::new(r, "letters", "Tries to deliver a letter", ["outcome"]).with(&[
                "delivered",
                "postponed",
                "given_up",
                "dropped",
            ]),
            letters_held_back: Counter::new(
                r,
                "letters_held_back",
                "Letters that were not written, since their reader has got too many lately",
            ),
            outbox: Gauges::new(r, "outbox_letters", "Letters in the outbox of all nodes", "state"),
            outbox_oldest: Gauge::seconds(r, "outbox_oldest", "How long the oldest letter that may leave has waited"),
            revocations_age: Gauge::seconds(
                r,
                "revocations_age",
                "How old the knowledge of what other nodes have revoked is",
            ),
            revocations: Gauges::new(r, "revocations", "Revocations in memory", "kind"),
            feed_resyncs: Counter::new(r, "feed_resyncs", "How often the whole feed of revocations was read again"),
            watchers: Gauge::new(r, "watchers", "Services that listen for revocations"),
            signing_keys: Gauges::new(r, "signing_keys", "Signing keys", "state"),
            signing_key_age: Gauge::seconds(r, "signing_key_age", "How long the key that signs has done so"),
            spans: Counters::new(r, "spans", "Spans of traces", ["outcome"]).with(&["exported", "dropped"]),
            registry,
        }
    }
}

impl Metrics {
    /// All of it, in [OpenMetrics](https://prometheus.io/docs/specs/om/open_metrics_spec/) text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
