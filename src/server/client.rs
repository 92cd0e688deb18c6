//! Finds out who calls: the peer, or whom a trusted proxy says it speaks for.

use std::net::{IpAddr, SocketAddr};

use axum::http::{Extensions, HeaderMap, HeaderName, header::USER_AGENT};
use ipnet::IpNet;
use tonic::transport::server::TcpConnectInfo;

use crate::domain::Device;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// How an application's server says for which browser it calls.
const CLIENT_USER_AGENT: HeaderName = HeaderName::from_static("x-client-user-agent");
/// How many code points of a user agent are kept.
const LONGEST_USER_AGENT: usize = 256;

/// From whom a request is.
pub(super) fn identify(extensions: &Extensions, headers: &HeaderMap, trusted: &[IpNet]) -> Device {
    let peer = extensions.get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr);
    device(peer.map(|peer| peer.ip()), headers, trusted)
}

fn device(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Device {
    let peer = peer.map(|peer| peer.to_canonical());
    match peer {
        // Spoofing: from anybody else these headers are whatever the client likes them to be.
        Some(proxy) if is_trusted(proxy, trusted) => Device {
            address: Some(forwarded_for(proxy, headers, trusted)),
            user_agent: user_agent(headers, &[CLIENT_USER_AGENT, USER_AGENT]),
        },
        _ => Device { address: peer, user_agent: user_agent(headers, &[USER_AGENT]) },
    }
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

/// The last address that no trusted proxy has, read from the right: each proxy appends whom it heard from, and what stands
/// to the left of the first stranger is hearsay.
fn forwarded_for(proxy: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut nearest = proxy;
    for field in headers.get_all(FORWARDED_FOR).iter().rev() {
        for entry in field.as_bytes().rsplit(|byte| *byte == b',') {
            let Some(address) = std::str::from_utf8(entry).ok().and_then(parse) else {
                tracing::warn!(%proxy, "a trusted proxy sent an x-forwarded-for that is no address");
                return proxy;
            };
            if !is_trusted(address, trusted) {
                return address;
            }
            nearest = address;
        }
    }
    nearest
}

/// `192.0.2.1`, `2001:db8::1`, and as some proxies write it `192.0.2.1:567`, `[2001:db8::1]`, `[2001:db8::1]:567`.
fn parse(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim_matches([' ', '\t']);
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match bare {
        Some(v6) => IpAddr::V6(v6.parse().ok()?),
        None => entry.parse().or_else(|_| entry.parse::<SocketAddr>().map(|socket| socket.ip())).ok()?,
    };
    Some(address.to_canonical())
}

/// The first of the headers that is there, fit to be stored and shown.
fn user_agent(headers: &HeaderMap, names: &[HeaderName]) -> String {
    let Some(sent) = names.iter().find_map(|name| headers.get(name)) else { return String::new() };
    let text = String::from_utf8_lossy(sent.as_bytes());
    if text.len() <= LONGEST_USER_AGENT && !text.contains(char::is_control) {
        return text.into_owned();
    }
    text.chars().filter(|char| !char.is_control()).take(LONGEST_USER_AGENT).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn trusted() -> Vec<IpNet> {
        vec!["10.0.0.0/8".parse().unwrap(), "2001:db8:ffff::/48".parse().unwrap()]
    }

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    fn address(peer: &str, forwarded: &[&str]) -> String {
        let lines: Vec<_> = forwarded.iter().map(|value| ("x-forwarded-for", *value)).collect();
        device(Some(peer.parse().unwrap()), &headers(&lines), &trusted()).address.unwrap().to_string()
    }

    #[test]
    fn a_stranger_is_who_it_is_whatever_it_says() {
        assert_eq!(address("192.0.2.1", &[]), "192.0.2.1");
        assert_eq!(address("192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(address("::ffff:192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(device(None, &headers(&[("x-forwarded-for", "203.0.113.9")]), &trusted()).address, None);
    }

    #[test]
    fn a_trusted_proxy_is_believed_up_to_the_first_stranger() {
        assert_eq!(address("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(address("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(address("::ffff:10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(address("10.0.0.1", &["198.51.100.7, 203.0.113.9,10.2.2.2"]), "203.0.113.9");
        assert_eq!(
            address("10.0.0.1", &["198.51.100.7", "203.0.113.9", "10.2.2.2"]),
            "203.0.113.9",
            "fields are one list"
        );
        assert_eq!(address("10.0.0.1", &["10.9.9.9, 10.2.2.2"]), "10.9.9.9", "all inside: the first of them");
        assert_eq!(address("2001:db8:ffff::1", &["2001:db8::5"]), "2001:db8::5");
    }

    #[test]
    fn what_is_no_address_is_not_believed() {
        for junk in [
            "",
            "unknown",
            "203.0.113.9, ",
            "_hidden",
            "203.0.113",
            "203.0.113.9:",
            "[::1",
            "203.0.113.9\u{e9}",
            "a, b",
        ] {
            assert_eq!(address("10.0.0.1", &[junk]), "10.0.0.1", "{junk:?}");
        }
        assert_eq!(address("10.0.0.1", &["junk, 203.0.113.9"]), "203.0.113.9", "what a stranger sent is not even read");
    }

    #[test]
    fn ports_and_brackets_are_understood() {
        for (entry, expected) in [
            ("203.0.113.9:567", "203.0.113.9"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("[::ffff:203.0.113.9]:1", "203.0.113.9"),
            ("  203.0.113.9\t", "203.0.113.9"),
        ] {
            assert_eq!(address("10.0.0.1", &[entry]), expected, "{entry}");
        }
    }

    #[test]
    fn a_user_agent_is_short_and_clean() {
        let agent = |peer: &str, lines: &[(&'static str, &str)]| {
            device(Some(peer.parse().unwrap()), &headers(lines), &trusted()).user_agent
        };
        assert_eq!(agent("192.0.2.1", &[]), "");
        assert_eq!(
            agent("192.0.2.1", &[("user-agent", "Firefox\t/153"), ("x-client-user-agent", "forged")]),
            "Firefox/153"
        );
        assert_eq!(agent("10.0.0.1", &[("user-agent", "node"), ("x-client-user-agent", "Firefox")]), "Firefox");
        assert_eq!(agent("10.0.0.1", &[("user-agent", "node")]), "node");
        assert_eq!(agent("192.0.2.1", &[("user-agent", &"é".repeat(300))]), "é".repeat(256));
    }

    /// One entry, and what it stands for.
    fn entry() -> impl Strategy<Value = (String, Option<IpAddr>)> {
        let v4 = prop_oneof![Just([10, 1, 2, 3]), Just([10, 4, 5, 6]), any::<[u8; 4]>()].prop_map(IpAddr::from);
        let v6 = prop_oneof![Just(0x2001_0db8_ffff_0000_0000_0000_0000_0001_u128), any::<u128>()]
            .prop_map(|bits| IpAddr::from(bits.to_be_bytes()));
        let written = prop_oneof![v4, v6].prop_flat_map(|ip| {
            let spellings = match ip {
                IpAddr::V4(v4) => vec![v4.to_string(), format!("{v4}:9"), v4.to_ipv6_mapped().to_string()],
                IpAddr::V6(v6) => vec![v6.to_string(), format!("[{v6}]"), format!("[{v6}]:9")],
            };
            proptest::sample::select(spellings).prop_map(move |text| (text, Some(ip.to_canonical())))
        });
        prop_oneof![9 => written, 1 => "[a-z_]{0,5}".prop_map(|junk| (junk, None))]
    }

    proptest! {
        #[test]
        fn the_walk_agrees_with_its_definition(fields in prop::collection::vec(prop::collection::vec(entry(), 1..4), 0..4)) {
            let proxy = IpAddr::from([10, 0, 0, 1]);
            let entries: Vec<Option<IpAddr>> = fields.iter().flatten().map(|(_, ip)| *ip).collect();
            let inside = |ip: &Option<IpAddr>| ip.is_some_and(|ip| is_trusted(ip, &trusted()));
            let expected = match entries.iter().rposition(|ip| !inside(ip)) {
                Some(position) => entries[position].unwrap_or(proxy),
                None => entries.first().copied().flatten().unwrap_or(proxy),
            };
            let lines: Vec<String> =
                fields.iter().map(|field| field.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(", ")).collect();
            let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", line.as_str())).collect();
            prop_assert_eq!(device(Some(proxy), &headers(&lines), &trusted()).address, Some(expected));
        }
    }
}
