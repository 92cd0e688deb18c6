//! How many connections there may be, so that neither one client nor all together take what the others need.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use ipnet::IpNet;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use super::Settings;

/// Room for connections.
pub(super) struct Limits {
    room: Arc<Semaphore>,
    per_client: usize,
    trusted_proxies: Vec<IpNet>,
    clients: Arc<Clients>,
}

/// How many connections each client has; a client that has none is not listed.
#[derive(Default)]
struct Clients(Mutex<HashMap<IpAddr, usize>>);

/// What a connection takes up, and gives back when it is dropped.
pub(super) struct Place {
    _room: OwnedSemaphorePermit,
    _client: Option<Seat>,
}

/// One of a client's connections.
struct Seat {
    client: IpAddr,
    clients: Arc<Clients>,
}

impl Limits {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            room: Arc::new(Semaphore::new(settings.max_connections.min(Semaphore::MAX_PERMITS))),
            per_client: settings.max_connections_per_client,
            trusted_proxies: settings.trusted_proxies.clone(),
            clients: Arc::default(),
        }
    }

    /// Waits until there is room for one more.
    pub(super) async fn room(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        Arc::clone(&self.room).acquire_owned().await
    }

    /// A place for one more of `peer`'s; `None` if it has as many as it may.
    pub(super) fn place(&self, room: OwnedSemaphorePermit, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        // Behind a proxy there are many clients.
        let is_proxy = self.trusted_proxies.iter().any(|net| net.contains(&peer));
        let client = if is_proxy { None } else { Some(self.clients.seat(prefix(peer), self.per_client)?) };
        Some(Place { _room: room, _client: client })
    }
}

impl Clients {
    fn seat(self: &Arc<Self>, client: IpAddr, most: usize) -> Option<Seat> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.get(&client).copied().unwrap_or(0);
        if count >= most {
            return None;
        }
        counts.insert(client, count + 1);
        Some(Seat { client, clients: Arc::clone(self) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.clients.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.client);
            }
        }
    }
}

/// Whoever has one IPv6 address has the other 2^64 of its network, so the network is the client.
fn prefix(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_client: usize) -> Limits {
        Limits {
            room: Arc::new(Semaphore::new(100)),
            per_client,
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            clients: Arc::default(),
        }
    }

    async fn place(limits: &Limits, peer: &str) -> Option<Place> {
        limits.place(limits.room().await.unwrap(), peer.parse().unwrap())
    }

    #[tokio::test]
    async fn a_client_gets_so_many_and_each_back_when_it_closes() {
        let limits = limits(2);
        let first = place(&limits, "192.0.2.1").await;
        let second = place(&limits, "::ffff:192.0.2.1").await;
        assert!(first.is_some() && second.is_some());
        assert!(place(&limits, "192.0.2.1").await.is_none(), "mapped or not, it is one address");
        assert!(place(&limits, "192.0.2.2").await.is_some(), "others are not concerned");
        drop(first);
        assert!(place(&limits, "192.0.2.1").await.is_some());
        drop(second);
        assert!(limits.clients.0.lock().unwrap().is_empty(), "nothing is kept of clients that left");
        assert_eq!(limits.room.available_permits(), 100);
    }

    #[tokio::test]
    async fn one_ipv6_network_is_one_client() {
        let limits = limits(1);
        let _first = place(&limits, "2001:db8:0:1::1").await.unwrap();
        assert!(place(&limits, "2001:db8:0:1:ffff::2").await.is_none());
        assert!(place(&limits, "2001:db8:0:2::1").await.is_some());
    }

    #[tokio::test]
    async fn proxies_are_not_counted() {
        let limits = limits(1);
        let places = [
            place(&limits, "10.1.2.3").await,
            place(&limits, "10.1.2.3").await,
            place(&limits, "::ffff:10.1.2.3").await,
        ];
        assert!(places.iter().all(Option::is_some));
    }
}
