//! One accepted connection: it knows who is at the other end, and ends when it stays silent or the service stops.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};
use tokio_rustls::server::TlsStream;
use tokio_util::{
    either::Either,
    sync::{CancellationToken, WaitForCancellationFutureOwned},
};
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::limits::Place;
use crate::metrics::Held;

/// How long the HTTP/2 preface is. hyper tells HTTP/2 from HTTP/1.1 by it, and waits for it without a timer.
const FIRST_BYTES: usize = 24;

/// Plaintext, or TLS.
pub(super) type Transport = Either<TcpStream, TlsStream<TcpStream>>;

/// What tonic serves.
pub(super) struct Connection {
    transport: Transport,
    ends: TcpConnectInfo,
    silence: Option<Silence>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    _held: (Place, Held),
}

/// A client that has not said enough yet, and how long it may take.
struct Silence {
    missing: usize,
    until: Pin<Box<Sleep>>,
}

impl Connection {
    /// Serves `transport` to whoever speaks within `patience`, until `cut`.
    pub(super) fn new(
        transport: Transport,
        ends: TcpConnectInfo,
        held: (Place, Held),
        patience: Duration,
        cut: &CancellationToken,
    ) -> Self {
        let until = Box::pin(sleep_until(Instant::now() + patience));
        Self {
            transport,
            ends,
            silence: Some(Silence { missing: FIRST_BYTES, until }),
            // A child of its own: thousands of connections would fight for the lock of one.
            cut: Box::pin(cut.child_token().cancelled_owned()),
            _held: held,
        }
    }

    fn fail_once_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.ends.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.fail_once_cut(cx)?;
        let before = buf.filled().len();
        let read = Pin::new(&mut self.transport).poll_read(cx, buf);
        if let Some(silence) = &mut self.silence {
            // Slowloris: a connection that costs nothing to open and is held for ever without saying anything.
            if read.is_pending() {
                ready!(silence.until.as_mut().poll(cx));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            silence.missing = silence.missing.saturating_sub(buf.filled().len() - before);
            if silence.missing == 0 {
                self.silence = None;
            }
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.fail_once_cut(cx)?;
        Pin::new(&mut self.transport).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }
}
