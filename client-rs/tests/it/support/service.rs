//! countersign itself: the binary, as an operator runs it.

use std::{path::PathBuf, process::Stdio};

use countersign_client::proto::{
    LoginRequest, LogoutRequest, Tokens, WhoAmIRequest, auth_service_client::AuthServiceClient, login_response::Outcome,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
};
use tonic::{Request, Status, transport::Channel};

use super::{ISSUER, in_time};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery staple";

/// A service of its own, in a folder of its own, that goes when this does.
pub struct Service {
    pub url: String,
    /// Lets the tests in where only services are.
    pub backend_key: String,
    settings: Vec<(&'static str, String)>,
    folder: TempDir,
    child: Option<Child>,
}

/// What Cargo built beside this test. The service itself it builds for `cargo test --workspace`, and not for this package
/// alone.
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join(name);
    assert!(path.is_file(), "{} is missing: run `cargo build --workspace --examples` first", path.display());
    path
}

impl Service {
    /// Starts with an account that has these roles.
    pub async fn start(roles: &[&str]) -> Self {
        Self::with(roles, Vec::new()).await
    }

    pub async fn with(roles: &[&str], more: Vec<(&'static str, String)>) -> Self {
        let mut settings = vec![
            ("COUNTERSIGN_SERVER__PUBLIC_URL", ISSUER.to_owned()),
            ("COUNTERSIGN_PASSWORDS__MAX_WAIT", "60s".to_owned()),
            ("COUNTERSIGN_SERVER__REQUEST_TIMEOUT", "60s".to_owned()),
        ];
        settings.extend(more);
        let folder = tempfile::tempdir().unwrap();
        let mut service = Self { url: String::new(), settings, folder, child: None, backend_key: String::new() };
        let mut arguments = vec!["user", "create", "--password-stdin", "--email", EMAIL];
        arguments.extend(roles.iter().flat_map(|role| ["--role", role]));
        service.run(&arguments, &format!("{PASSWORD}\n")).await;
        let key = service.run(&["backend", "create", "--name", "tests"], "").await;
        key.trim_end().clone_into(&mut service.backend_key);
        service.serve("127.0.0.1:0").await;
        service
    }

    /// Runs a command of the operator's to its end.
    async fn run(&self, arguments: &[&str], input: &str) -> String {
        let mut child = self.command(arguments).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
        let output = in_time(child.wait_with_output()).await.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    async fn serve(&mut self, listen: &str) {
        let mut child = self.command(&["serve", "--listen", listen]).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut seen = Vec::new();
        self.url = loop {
            let line = in_time(lines.next_line()).await.unwrap();
            let line = line.unwrap_or_else(|| panic!("it ended:\n{}", seen.join("\n")));
            match line.strip_prefix("listening on ") {
                Some(url) => break url.to_owned(),
                None => seen.push(line),
            }
        };
        // Read all the time, so that it never waits for somebody to take its log.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        self.child = Some(child);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(built("countersign"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("COUNTERSIGN_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub fn keys_url(&self) -> String {
        format!("{}/.well-known/countersign/keys", self.url)
    }

    /// Shuts the account out, as an operator does whether the service runs or not.
    pub async fn disable_account(&self) {
        self.run(&["user", "disable", "--email", EMAIL], "").await;
    }

    /// Kills it, as a power cut would.
    pub async fn kill(&mut self) {
        in_time(self.child.take().unwrap().kill()).await.unwrap();
    }

    /// Starts it again where it was, with what is on its disk.
    pub async fn restart(&mut self) {
        let address = self.url.strip_prefix("http://").unwrap().to_owned();
        self.serve(&address).await;
    }

    pub async fn client(&self) -> AuthServiceClient<Channel> {
        in_time(AuthServiceClient::connect(self.url.clone())).await.unwrap()
    }

    pub async fn login(&self) -> Tokens {
        let (email, password) = (EMAIL.to_owned(), PASSWORD.to_owned());
        let request = LoginRequest { email, password, ..LoginRequest::default() };
        let answer = in_time(self.client().await.login(request)).await.unwrap().into_inner();
        let Some(Outcome::SignedIn(signed_in)) = answer.outcome else { panic!("signed in") };
        signed_in.tokens.unwrap()
    }
}

/// Signs out, of one session or of all.
pub async fn log_out(service: &Service, token: &str, everywhere: bool) {
    let mut request = Request::new(LogoutRequest { everywhere });
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    in_time(service.client().await.logout(request)).await.unwrap();
}

/// What the service says of a token.
pub async fn who_am_i(client: &mut AuthServiceClient<Channel>, token: &str) -> Result<(), Status> {
    let mut request = Request::new(WhoAmIRequest {});
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    in_time(client.who_am_i(request)).await.map(drop)
}
