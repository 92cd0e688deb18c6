//! What an operator can set about the listener.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use ipnet::IpNet;

use super::exporter::Collector;
use crate::grpc::Origins;

/// How the service is reached, and what it bears.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where Prometheus reads; `None` for nowhere.
    pub metrics: Option<SocketAddr>,
    /// Whom spans are told to.
    pub traces: Option<Traces>,
    /// With which certificate; plaintext without.
    pub tls: Option<TlsFiles>,
    /// Whose `x-forwarded-for` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The pages that may call.
    pub origins: Origins,
    /// Whether the API describes itself to anyone who asks.
    pub reflection: bool,
    /// The most connections at a time; more wait in the queue of the operating system.
    pub max_connections: usize,
    /// The most connections from one IPv4 address or one IPv6 /64; trusted proxies are not counted.
    pub max_connections_per_client: usize,
    /// How long a new connection may take to finish TLS, and then to send its first bytes.
    pub first_bytes_timeout: Duration,
    /// How long a call may take, whatever deadline the client asks for.
    pub request_timeout: Duration,
    /// How long open calls may go on once the service was told to stop.
    pub drain_timeout: Duration,
}

/// Traces of OpenTelemetry.
#[derive(Debug, Clone)]
pub struct Traces {
    /// Who collects them.
    pub collector: Collector,
    /// Of how many traces that begin here one is told of.
    pub one_in: u32,
}

/// A certificate and its key, in PEM; read again when they change.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}
