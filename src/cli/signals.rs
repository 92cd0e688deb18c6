//! SIGINT and SIGTERM: the first asks to stop, the second does not ask.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// From now on the first signal cancels `stop`, and the second ends the process at once with the status that shells expect.
///
/// # Errors
/// When the operating system has no room for a handler.
pub(super) fn cancel_on_first(stop: &CancellationToken) -> io::Result<()> {
    // Reads the certificate again where there is one, and else would end the process: from here on it does not.
    drop(signal(SignalKind::hangup())?);
    let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
    let (mut interrupts, mut terminations) = (signal(interrupt)?, signal(terminate)?);
    let stop = stop.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupts.recv() => interrupt,
                _ = terminations.recv() => terminate,
            }
        };
        next().await;
        tracing::info!("stopping: open calls may finish; a second signal stops at once");
        stop.cancel();
        let second = next().await;
        std::process::exit(128 + second.as_raw_value());
    });
    Ok(())
}
