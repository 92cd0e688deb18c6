//! A real mail server, as a process of its own, whose moods a test chooses.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use countersign::mail::{Roots, Security, SmtpSettings};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    sync::watch,
};

use super::{process::in_time, tls::Tls};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A letter that the server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    pub options: Vec<String>,
    /// As it came, header and all.
    pub data: String,
    pub tls: bool,
    pub user: Option<String>,
}

pub struct SmtpServer {
    pub port: u16,
    tls: Tls,
    security: Security,
    user: Option<(String, String)>,
    letters: Arc<Mutex<Vec<Received>>>,
    said: watch::Receiver<String>,
    questions: usize,
    stdin: ChildStdin,
    _child: Child,
}

impl SmtpServer {
    /// In the clear, for everybody.
    pub async fn start() -> Self {
        Self::with(Security::None, None, Tls::create()).await
    }

    pub async fn with(security: Security, user: Option<(&str, &str)>, tls: Tls) -> Self {
        let files = tls.files();
        let mut command = Command::new(format!("{ROOT}/.tools/bin/python"));
        command.arg(format!("{ROOT}/tests/smtp-server.py"));
        match security {
            Security::None => {}
            Security::Tls => drop(command.args(["--security", "tls"])),
            Security::StartTls => drop(command.args(["--security", "starttls"])),
        }
        if security != Security::None {
            command.arg("--certificate").arg(files.certificate).arg("--key").arg(files.key);
        }
        if let Some((name, password)) = user {
            command.arg("--user").arg(format!("{name}:{password}"));
        }
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{error}: `make tools` installs what the tests call"));
        let stdin = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = in_time(lines.next_line()).await.unwrap().expect("the mail server starts");
        let port = first.strip_prefix("port ").unwrap().parse().unwrap();
        let letters = Arc::new(Mutex::new(Vec::new()));
        let (says, said) = watch::channel(String::new());
        let taken = Arc::clone(&letters);
        tokio::spawn(async move {
            while let Some(line) = lines.next_line().await.unwrap() {
                match line.strip_prefix("letter ") {
                    Some(json) => taken.lock().unwrap().push(received(json)),
                    None => drop(says.send(line)),
                }
            }
        });
        let user = user.map(|(name, password)| (name.to_owned(), password.to_owned()));
        Self { port, tls, security, user, letters, said, questions: 0, stdin, _child: child }
    }

    /// Changes how it behaves from the next connection on; ends those that it holds in silence.
    pub async fn turn(&mut self, mood: &str) {
        self.ask(format!("mood {mood}")).await;
    }

    /// What it took so far, in the order of arrival.
    pub async fn letters(&mut self) -> Vec<Received> {
        self.questions += 1;
        self.ask(format!("question {}", self.questions)).await;
        self.letters.lock().unwrap().clone()
    }

    async fn ask(&mut self, line: String) {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        in_time(self.said.wait_for(|said| *said == line)).await.unwrap();
    }

    /// As an operator would set it up.
    pub fn settings(&self) -> SmtpSettings {
        SmtpSettings {
            host: "localhost".to_owned(),
            port: self.port,
            security: self.security,
            roots: Some(self.roots()),
            credentials: self.user.clone().map(|(name, password)| (name, password.into())),
            from: "Example Müller <no-reply@example.com>".parse().unwrap(),
            timeout: Duration::from_secs(30),
        }
    }

    /// Those who vouch for this server and no other.
    pub fn roots(&self) -> Roots {
        Roots::from_pem(&std::fs::read(self.tls.files().certificate).unwrap()).unwrap()
    }
}

impl Received {
    /// The lines above the first empty one, those that were folded put together again.
    pub fn headers(&self) -> Vec<(String, String)> {
        let (head, _) = self.data.split_once("\r\n\r\n").unwrap();
        let lines = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let split = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_owned(), value.trim().to_owned())
        };
        lines.split("\r\n").map(split).collect()
    }

    pub fn header(&self, name: &str) -> String {
        let headers = self.headers();
        let values: Vec<&String> = headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value).collect();
        assert_eq!(values.len(), 1, "{name} in {headers:?}");
        values[0].clone()
    }
}

fn received(json: &str) -> Received {
    let letter: Value = serde_json::from_str(json).unwrap();
    let text = |key: &str| letter[key].as_str().map(str::to_owned);
    let texts = |key: &str| {
        letter[key].as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    Received {
        from: text("from").unwrap(),
        to: texts("to"),
        options: texts("options"),
        data: text("data").unwrap(),
        tls: letter["tls"].as_bool().unwrap(),
        user: text("user"),
    }
}
