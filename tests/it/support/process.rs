//! The binary itself, as an operator runs it: a process told by flags, environment and signals.

use std::{future::Future, net::SocketAddr, process::Stdio, time::Duration};

use countersign::proto::auth_service_client::AuthServiceClient;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinHandle,
};

use super::grpc::Client;

/// A process that hangs should fail its test, not hang it too. No test waits for it to pass.
const SAFETY_NET: Duration = Duration::from_mins(2);

/// The binary in a folder of its own, with these settings in its environment and none of the caller's.
pub struct Binary {
    pub folder: TempDir,
    environment: Vec<(&'static str, String)>,
}

/// What a process left behind.
#[derive(Debug)]
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A service that listens.
pub struct Serving {
    pub address: SocketAddr,
    pub url: String,
    child: Child,
    stdout: JoinHandle<String>,
    lines: UnboundedReceiver<String>,
    seen: Vec<String>,
}

impl Default for Binary {
    fn default() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }
}

impl Binary {
    /// The same with one setting more.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// The same with bounds that a busy machine does not reach.
    pub fn patient(self) -> Self {
        self.with("COUNTERSIGN_DATABASE__ACQUIRE_TIMEOUT", "30s")
            .with("COUNTERSIGN_DATABASE__STATEMENT_TIMEOUT", "30s")
            .with("COUNTERSIGN_SERVER__REQUEST_TIMEOUT", "60s")
            .with("COUNTERSIGN_PASSWORDS__MAX_WAIT", "60s")
    }

    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("COUNTERSIGN_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        self.run_with_input(arguments, "").await
    }

    /// Runs a command that reads its standard input.
    pub async fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.start(arguments);
        // Who does not read its input may have ended before this.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
        let output = in_time(child.wait_with_output()).await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs `serve` on a free port, until it listens.
    pub async fn serve(&self) -> Serving {
        Serving::new(self.start(&["serve", "--listen", "127.0.0.1:0"])).await
    }
}

impl Serving {
    /// Waits until a `serve` that was just started listens.
    pub async fn new(mut child: Child) -> Self {
        let (sender, lines) = unbounded_channel();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).split(b'\n');
        // Read all the time, so that the service never waits for somebody to take its log.
        tokio::spawn(async move {
            while let Some(line) = stderr.next_segment().await.unwrap() {
                let _ = sender.send(String::from_utf8(line).unwrap());
            }
        });
        let stdout = tokio::spawn(read_all(child.stdout.take().unwrap()));
        let address = "0.0.0.0:0".parse().unwrap();
        let mut serving = Self { address, url: String::new(), child, stdout, lines, seen: Vec::new() };
        let line = serving.line("listening on ").await;
        line.strip_prefix("listening on ").unwrap().clone_into(&mut serving.url);
        serving.address = serving.url.split_once("://").unwrap().1.parse().unwrap();
        serving
    }

    /// The first line of standard error with `part` in it, which may be yet to come.
    pub async fn line(&mut self, part: &str) -> String {
        loop {
            if let Some(line) = self.seen.iter().find(|line| line.contains(part)) {
                return line.clone();
            }
            match in_time(self.lines.recv()).await {
                Some(line) => self.seen.push(line),
                None => panic!("it ended without {part:?}:\n{}", self.seen.join("\n")),
            }
        }
    }

    /// What it has written to standard error so far, as far as it was waited for.
    pub fn text(&self) -> String {
        self.seen.join("\n") + "\n"
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Sends a signal, by its name without SIG.
    pub async fn signal(&self, name: &str) {
        let line = format!("kill -s {name} {}", self.child.id().unwrap());
        assert!(Command::new("sh").args(["-c", &line]).status().await.unwrap().success());
    }

    /// Stops it where it stands; it answers nothing until it is thawed.
    pub async fn freeze(&self) {
        self.signal("STOP").await;
        in_time(stands_still(self.child.id().unwrap())).await;
    }

    pub async fn thaw(&self) {
        self.signal("CONT").await;
    }

    /// Waits for the end.
    pub async fn ended(mut self) -> Output {
        let code = in_time(self.child.wait()).await.unwrap().code();
        while let Some(line) = in_time(self.lines.recv()).await {
            self.seen.push(line);
        }
        Output { code, stdout: self.stdout.await.unwrap(), stderr: self.seen.join("\n") }
    }

    /// Stops it as a supervisor does.
    pub async fn stop(self) -> Output {
        self.signal("TERM").await;
        self.ended().await
    }

    /// A native gRPC client.
    pub async fn client(&self) -> Client {
        AuthServiceClient::connect(self.url.clone()).await.unwrap()
    }
}

/// What comes of `future`, which should not take long.
pub async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SAFETY_NET, future).await.expect("no end in sight")
}

/// That a process was told to stop does not yet stop its threads, which may finish an answer on another processor. Where there
/// is no `/proc` nobody knows.
pub async fn stands_still(process: u32) {
    let stands = || {
        let Ok(mut threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { return true };
        threads.all(|thread| {
            // proc(5): the state comes after the name, which is in parentheses.
            let told = std::fs::read_to_string(thread.unwrap().path().join("stat")).unwrap_or_default();
            told.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('T'))
        })
    };
    while !stands() {
        tokio::task::yield_now().await;
    }
}

async fn read_all(mut input: impl AsyncRead + Unpin) -> String {
    let mut text = String::new();
    input.read_to_string(&mut text).await.unwrap();
    text
}
