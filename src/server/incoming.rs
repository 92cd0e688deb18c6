//! Accepts connections: what tonic's own listener lacks is HTTP/1.1 over TLS, limits, deadlines, and to survive errors.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::{either::Either, sync::CancellationToken};
use tonic::transport::server::TcpConnectInfo;

use super::{
    connection::{Connection, Transport},
    limits::{Limits, Place},
};
use crate::metrics::Metrics;

/// How long to leave the listener alone after an error: mostly there are no file descriptors left, and asking again at
/// once would burn a core until there are.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Where connections come from, and what they have to keep to.
pub(super) struct Incoming {
    /// Bound already.
    pub(super) listener: TcpListener,
    /// Plaintext without.
    pub(super) tls: Option<TlsAcceptor>,
    /// How many.
    pub(super) limits: Limits,
    /// How long a client may take for its TLS handshake, and then for its first bytes.
    pub(super) patience: Duration,
    /// Ends what is open at once.
    pub(super) cut: CancellationToken,
    /// Counts them.
    pub(super) metrics: Arc<Metrics>,
}

/// A connection that was accepted and may stay.
struct Accepted {
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
}

impl Incoming {
    /// The connections, as they become ready to serve; the listener closes when the stream is dropped.
    pub(super) fn connections(self) -> ReceiverStream<Result<Connection, Infallible>> {
        let (ready, connections) = mpsc::channel(1);
        tokio::spawn(async move {
            let this = Arc::new(self);
            loop {
                tokio::select! {
                    () = ready.closed() => return,
                    accepted = this.accept() => match accepted {
                        Some(accepted) => {
                            // In a task of its own: who is slow at TLS keeps nobody else waiting.
                            tokio::spawn(Arc::clone(&this).open(accepted, ready.clone()));
                        }
                        None => return,
                    },
                }
            }
        });
        ReceiverStream::new(connections)
    }

    /// The next connection that may stay; whoever has too many is hung up on.
    async fn accept(&self) -> Option<Accepted> {
        loop {
            let room = self.limits.room().await.ok()?;
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    if let Some(place) = self.limits.place(room, peer.ip()) {
                        return Some(Accepted { stream, peer, place });
                    }
                    self.metrics.connections_refused.count(["client_limit"]);
                    tracing::debug!(%peer, "hung up: too many connections from this client");
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep_until(Instant::now() + BACK_OFF).await;
                }
            }
        }
    }

    /// Makes a connection ready to serve; one that fails or takes too long is dropped.
    async fn open(self: Arc<Self>, accepted: Accepted, ready: mpsc::Sender<Result<Connection, Infallible>>) {
        let Accepted { stream, peer, place } = accepted;
        let ends = TcpConnectInfo { local_addr: stream.local_addr().ok(), remote_addr: Some(peer) };
        match timeout(self.patience, self.transport(stream)).await {
            Ok(Ok(transport)) => {
                let held = (place, self.metrics.connections.hold());
                let connection = Connection::new(transport, ends, held, self.patience, &self.cut);
                // Nobody takes it any more once the service stops.
                let _ = ready.send(Ok(connection)).await;
            }
            Ok(Err(error)) => {
                self.metrics.connections_refused.count(["handshake"]);
                tracing::debug!(%peer, %error, "cannot open a connection");
            }
            Err(_) => {
                self.metrics.connections_refused.count(["handshake"]);
                tracing::debug!(%peer, "hung up: the TLS handshake took too long");
            }
        }
    }

    async fn transport(&self, stream: TcpStream) -> io::Result<Transport> {
        // Without it the trailers of an answer wait 40 ms for the acknowledgement of its body.
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Either::Left(stream)),
            Some(tls) => Ok(Either::Right(tls.accept(stream).await?)),
        }
    }
}
