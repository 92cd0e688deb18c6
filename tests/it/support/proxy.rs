//! A network between the service and PostgreSQL that a test cuts and mends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    Fair,
    /// Every connection breaks, and no other comes about.
    Cut,
    /// Nothing arrives any more, and nothing breaks: what is sent is held until it is mended.
    Swallows,
    /// As fair, until a statement with this in it: the server does what it says, and its answer is lost with the connection.
    LosesAnswerTo(&'static str),
}

type Forecast = Arc<watch::Sender<Weather>>;

/// What clients have said since somebody asked: how many bytes, and of what PostgreSQL understands the statements.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<(usize, Vec<String>)>>);

pub struct Proxy {
    pub port: u16,
    /// For those who connect from now on.
    weather: Arc<Mutex<Forecast>>,
    heard: Heard,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Stands in front of the PostgreSQL at this port.
    pub async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let weather = Arc::new(Mutex::new(fair()));
        let heard = Heard::default();
        let accepting = tokio::spawn({
            let (weather, heard) = (Arc::clone(&weather), heard.clone());
            async move {
                loop {
                    let (client, _) = listener.accept().await.unwrap();
                    let weather = Arc::clone(&weather.lock().unwrap());
                    tokio::spawn(carry(client, server, weather, heard.clone()));
                }
            }
        });
        Self { port, weather, heard, accepting }
    }

    fn weather(&self) -> Forecast {
        Arc::clone(&self.weather.lock().unwrap())
    }

    /// Nothing is ever heard again of what is connected, and who connects anew gets through: a router that was replaced.
    pub fn strand(&self) {
        self.swallow();
        *self.weather.lock().unwrap() = fair();
    }

    pub fn cut(&self) {
        self.weather().send_replace(Weather::Cut);
    }

    pub fn swallow(&self) {
        self.weather().send_replace(Weather::Swallows);
    }

    /// What clients have said since this was last asked: bytes, and statements.
    pub fn heard(&self) -> (usize, Vec<String>) {
        std::mem::take(&mut *self.heard.0.lock().unwrap())
    }

    pub fn mend(&self) {
        self.weather().send_replace(Weather::Fair);
    }

    /// Once, for the next statement with `part` in it.
    pub fn lose_answer_to(&self, part: &'static str) {
        self.weather().send_replace(Weather::LosesAnswerTo(part));
    }

    /// Whether the answer that was to be lost has been.
    pub fn has_lost_it(&self) -> bool {
        *self.weather().borrow() == Weather::Fair
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn fair() -> Forecast {
    Forecast::new(watch::Sender::new(Weather::Fair))
}

/// Carries one connection until one side closes it or the network breaks.
async fn carry(client: TcpStream, server: u16, weather: Forecast, heard: Heard) {
    let mut cut = weather.subscribe();
    if *cut.borrow() == Weather::Cut {
        return;
    }
    let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (losing, is_lost) = watch::channel(false);
    tokio::select! {
        () = ask(from_client, to_server, &weather, &losing, &heard) => {}
        () = answer(from_server, to_client, &weather, &is_lost) => {}
        _ = cut.wait_for(|weather| *weather == Weather::Cut) => {}
    }
}

/// From the client to the server; says so when the answer is to be lost, before the server can give one.
async fn ask(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    weather: &Forecast,
    lose: &watch::Sender<bool>,
    heard: &Heard,
) {
    let mut client = Client::default();
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        heard.0.lock().unwrap().0 += length;
        for statement in client.runs(&buffer[..length]) {
            heard.0.lock().unwrap().1.push(statement.clone());
            weather.send_if_modified(|weather| {
                let is_it = matches!(weather, Weather::LosesAnswerTo(part) if statement.contains(*part));
                if is_it {
                    *weather = Weather::Fair;
                    lose.send_replace(true);
                }
                is_it
            });
        }
        if is_swallowed(weather).await || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// Waits until what was read may go on; whether it never may.
async fn is_swallowed(weather: &Forecast) -> bool {
    weather.subscribe().wait_for(|weather| *weather != Weather::Swallows).await.is_err()
}

/// From the server to the client; an answer that is to be lost is waited for, since then what was asked is done.
async fn answer(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, weather: &Forecast, lost: &watch::Receiver<bool>) {
    const READY_FOR_QUERY: [u8; 5] = [b'Z', 0, 0, 0, 5];
    let mut buffer = vec![0; 64 * 1024];
    let mut unsaid = Vec::new();
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if *lost.borrow() {
            unsaid.extend(&buffer[..length]);
            if unsaid.len() > 5 && unsaid[..unsaid.len() - 1].ends_with(&READY_FOR_QUERY) {
                return;
            }
        } else if is_swallowed(weather).await || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// What a client says: <https://www.postgresql.org/docs/current/protocol-message-formats.html>.
#[derive(Default)]
struct Client {
    unread: Vec<u8>,
    has_begun: bool,
    prepared: HashMap<String, String>,
}

impl Client {
    /// The statements that these next bytes run.
    fn runs(&mut self, bytes: &[u8]) -> Vec<String> {
        self.unread.extend(bytes);
        let mut run = Vec::new();
        while let Some(message) = self.message() {
            if !self.has_begun {
                // Before the start of version 3 it may ask for TLS.
                self.has_begun = message[4..6] == [0, 3];
                continue;
            }
            let mut parts =
                message[5..].split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned());
            let mut part = || parts.next().unwrap_or_default();
            match message[0] {
                b'Q' => run.push(part()),
                b'P' => drop(self.prepared.insert(part(), part())),
                b'B' => run.extend([part(), part()].get(1).and_then(|name| self.prepared.get(name)).cloned()),
                _ => {}
            }
        }
        run
    }

    /// The next whole message: after the start, its length comes after a type.
    fn message(&mut self) -> Option<Vec<u8>> {
        let at = usize::from(self.has_begun);
        let length = self.unread.get(at..at + 4)?;
        let end = at + u32::from_be_bytes(length.try_into().unwrap()) as usize;
        (self.unread.len() >= end).then(|| self.unread.drain(..end).collect())
    }
}
