//! `[server]` and `[browser]`: how the service is reached, and from which pages.

use std::{
    fs::File,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use ipnet::IpNet;

use super::{duration::MINUTE, observing, reader::Reader};
use crate::{
    grpc::{Origin, Origins},
    server::{Settings, TlsFiles},
};

/// Reads both sections but for the URL.
pub(super) fn read(reader: &mut Reader) -> Option<Settings> {
    let listen = read_listen(reader);
    let tls = read_tls(reader);
    let trusted_proxies = read_proxies(reader, tls.is_some());
    let reflection = reader.switch("server.reflection");
    let max_connections = reader.number("server.max_connections", 1..=1_000_000);
    let max_connections_per_client = reader.number("server.max_connections_per_client", 1..=1_000_000);
    let first_bytes_timeout = reader.duration("server.first_bytes_timeout", TENTH..=MINUTE);
    let request_timeout = reader.duration("server.request_timeout", TENTH..=10 * MINUTE);
    let drain_timeout = reader.duration("server.drain_timeout", Duration::ZERO..=10 * MINUTE);
    let cookies = reader.switch("browser.cookies");
    let origins = read_origins(reader, cookies);

    let metrics = observing::read_metrics(reader);
    let traces = observing::read_traces(reader);

    Some(Settings {
        listen: listen?,
        metrics: metrics?,
        traces: traces?,
        tls,
        trusted_proxies: trusted_proxies?,
        origins: origins?,
        reflection: reflection?,
        max_connections: max_connections?,
        max_connections_per_client: max_connections_per_client?,
        first_bytes_timeout: first_bytes_timeout?,
        request_timeout: request_timeout?,
        drain_timeout: drain_timeout?,
    })
}

const TENTH: Duration = Duration::from_millis(100);

fn read_listen(reader: &mut Reader) -> Option<SocketAddr> {
    let wanted = "must be an address and a port, like 127.0.0.1:50051 or [::]:50051";
    let listen: SocketAddr = reader.parse("server.listen", |text| text.parse().map_err(|_| wanted))?;
    // Whoever can reach a development server can sign up, unconfirmed, and read everything in the clear.
    if !reader.is_production() && !listen.ip().to_canonical().is_loopback() {
        let what = "is open to other machines, for which the development profile is not made: set profile = \"production\", or listen on 127.0.0.1";
        reader.refuse("server.listen", what);
    }
    Some(listen)
}

/// Reads where clients reach the service, which also is who issues its tokens.
pub(super) fn read_public_url(reader: &mut Reader) -> Option<Origin> {
    if reader.is_production() && !reader.is_set("server.public_url") {
        reader.refuse(
            "server.public_url",
            "is required in production: where clients reach the service, like https://auth.example.com",
        );
        return None;
    }
    let url: Origin = reader.parse("server.public_url", str::parse)?;
    if reader.is_production() && !is_https(&url) {
        reader.refuse("server.public_url", "must begin with https:// in production, whoever ends TLS");
    }
    Some(url)
}

fn read_tls(reader: &mut Reader) -> Option<TlsFiles> {
    let keys = ["server.tls_certificate", "server.tls_key"];
    let [certificate, key] = keys.map(|key| {
        let path = reader.path(key)?;
        File::open(&path).map_err(|e| reader.refuse(key, format!("cannot be read: {e}"))).ok()?;
        Some(path)
    });
    for (key, other) in [(keys[0], keys[1]), (keys[1], keys[0])] {
        if reader.is_set(key) && !reader.is_set(other) {
            reader.refuse(other, format!("is required beside {key}"));
        }
    }
    Some(TlsFiles { certificate: certificate?, key: key? })
}

fn read_proxies(reader: &mut Reader, has_tls: bool) -> Option<Vec<IpNet>> {
    let behind_proxy = reader.switch("server.behind_proxy");
    let networks: Option<Vec<Network>> = reader.list("server.trusted_proxies");
    let tls_is_set = has_tls || reader.is_set("server.tls_certificate") || reader.is_set("server.tls_key");
    if reader.is_production() && behind_proxy == Some(false) && !tls_is_set {
        let what = "must be set in production, with server.tls_key; or set server.behind_proxy = true if a proxy in front ends TLS";
        reader.refuse("server.tls_certificate", what);
    }
    if behind_proxy == Some(false) && networks.as_ref().is_some_and(|networks| !networks.is_empty()) {
        reader.refuse(
            "server.trusted_proxies",
            "is of no use without a proxy: set server.behind_proxy = true, or leave it empty",
        );
    }
    networks.map(|networks| networks.into_iter().map(|Network(net)| net).collect())
}

/// A network that may hold proxies.
struct Network(IpNet);

#[derive(Debug, thiserror::Error)]
enum InvalidNetwork {
    #[error("must be a network like 10.0.0.0/8, or an address")]
    Malformed,
    #[error("holds every address there is: whoever connects could then claim any address")]
    Everybody,
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        let network = text.parse::<IpNet>().or_else(|_| address()).map_err(|_| InvalidNetwork::Malformed)?;
        if network.prefix_len() == 0 { Err(InvalidNetwork::Everybody) } else { Ok(Self(network.trunc())) }
    }
}

fn read_origins(reader: &mut Reader, cookies: Option<bool>) -> Option<Origins> {
    let keys = ["browser.same_site_origins", "browser.cross_site_origins"];
    let lists = keys.map(|key| reader.list::<Origin>(key));
    if reader.is_production() {
        for (key, list) in keys.iter().zip(&lists) {
            for origin in list.iter().flatten().filter(|origin| !is_https(origin) && !is_loopback(origin)) {
                reader
                    .refuse(key, format!("lists {origin}, which anybody on the way can rewrite: it must be https://"));
            }
        }
    }
    let [same_site, cross_site] = lists;
    let (same_site, cross_site) = (same_site?, cross_site?);
    let all: Vec<&Origin> = same_site.iter().chain(&cross_site).collect();
    for (index, origin) in all.iter().enumerate() {
        if all[..index].contains(origin) {
            let key = if index < same_site.len() { keys[0] } else { keys[1] };
            reader.refuse(
                key,
                format!(
                    "lists {origin}, which is listed before: an origin is same-site or cross-site, and once is enough"
                ),
            );
        }
    }
    if reader.is_production() && cookies == Some(true) && all.is_empty() {
        let what =
            "must list the pages that sign in, like https://app.example.com; or set browser.cookies = false if none do";
        reader.refuse(keys[0], what);
    }
    let origins = Origins::new(same_site, cross_site);
    Some(if cookies == Some(false) { origins.without_cookies() } else { origins })
}

fn is_https(origin: &Origin) -> bool {
    origin.as_str().starts_with("https://")
}

/// Whether it is a page of the machine that the browser runs on.
fn is_loopback(origin: &Origin) -> bool {
    let authority = origin.as_str().split_once("://").map_or("", |(_, authority)| authority);
    let host =
        authority.rsplit_once(':').map_or(authority, |(host, port)| if port.ends_with(']') { authority } else { host });
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}
