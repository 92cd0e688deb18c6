//! How large the service is, how soon it is there, and what connections cost that do nothing.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    process::{Running, size_of_binary},
    table,
};

const CONNECTIONS: usize = 9_000;
/// RFC 9113 §3.4: what a client begins with, and settings of which there are none.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Measures, and prints.
pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("SERVER__MAX_CONNECTIONS_PER_CLIENT", "10000".to_owned())];
    drop(Running::service(folder.path(), &settings));
    let starts: Vec<Duration> = (0..9).map(|_| Running::service(folder.path(), &settings).ready_after).collect();
    let service = Running::service(folder.path(), &settings);
    service.settle();
    let idle = service.memory("VmRSS");
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut connection = TcpStream::connect(&service.address).await.unwrap();
        connection.write_all(PREFACE).await.unwrap();
        // The server's settings: it has taken the connection, and keeps what it needs for it.
        connection.read_exact(&mut [0; 9]).await.unwrap();
        open.push(connection);
    }
    let connected = service.memory("VmRSS");
    table::limits_head();
    table::limit("size of the binary", size_of_binary(), 20.0, " MiB");
    table::limit("RSS, idle", idle, 15.0, " MiB");
    let mut starts = starts;
    starts.sort_unstable();
    table::limit("from exec to listening, median of 9", starts[4].as_secs_f64() * 1e3, 50.0, " ms");
    #[expect(clippy::cast_precision_loss, reason = "there are few of them")]
    let of_ten_thousand = (connected - idle) * 10_000.0 / CONNECTIONS as f64;
    table::limit(&format!("memory of 10,000 idle connections (from {CONNECTIONS})"), of_ten_thousand, 200.0, " MiB");
}
