//! The service as a process of its own, and what the operating system says of it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What is measured: the binary that `MEASURED_BINARY` names, as `make bench` does the one that is released, or Cargo's own.
pub fn binary() -> PathBuf {
    let named = std::env::var_os("MEASURED_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_countersign").into());
    std::path::absolute(named).unwrap()
}

/// A process that says where it listens.
pub struct Running {
    pub address: String,
    /// From its start to its saying so.
    pub ready_after: Duration,
    child: Child,
}

impl Running {
    /// The service in `folder`, with these settings over those of the development profile.
    pub fn service(folder: &Path, settings: &[(&str, String)]) -> Self {
        let mut command = countersign(folder, settings);
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        Self::start(command)
    }

    /// One of the servers that the service is compared with: this very program again.
    pub fn peer(kind: &str, answers: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(super::peers::KIND, kind).env(super::peers::ANSWERS, answers);
        Self::start(command)
    }

    /// The one of them that signs in, by this database.
    pub fn peer_that_signs_in(answer: &Path, database: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(super::peers::KIND, super::peers::SIGN_IN).env(super::peers::ANSWERS, answer);
        command.env(super::bare_sign_in::DATABASE, database);
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        let started = Instant::now();
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended before it listened");
            if let Some(address) = line.trim_end().strip_prefix("listening on http://") {
                break address.to_owned();
            }
        };
        let ready_after = started.elapsed();
        // Somebody has to take its log, or it waits for that.
        thread::spawn(move || drop(stderr.read_to_end(&mut Vec::new())));
        Self { address, ready_after, child }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until it has done what it does at its start.
    pub fn settle(&self) {
        const WHILE: Duration = Duration::from_secs(1);
        let is_busy = |cpu: Duration| {
            thread::sleep(WHILE);
            self.cpu() - cpu > WHILE / 100
        };
        while is_busy(self.cpu()) {}
    }

    /// What it has had of the processors so far.
    pub fn cpu(&self) -> Duration {
        cpu_of(&self.child.id().to_string())
    }

    /// The same of its threads whose name begins so.
    pub fn cpu_of_threads(&self, name: &str) -> Duration {
        cpu_of_threads(&self.child.id().to_string(), name)
    }

    /// A line of `/proc/PID/status`, in MiB.
    pub fn memory(&self, line: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let found = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':')).unwrap();
        found.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1_024.0
    }

    /// Lets the peak of its memory begin anew.
    pub fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command of the binary, with none of the caller's settings.
pub fn countersign(folder: &Path, settings: &[(&str, String)]) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COUNTERSIGN_") {
            command.env_remove(name);
        }
    }
    command.current_dir(folder).envs(settings.iter().map(|(name, value)| (format!("COUNTERSIGN_{name}"), value)));
    command
}

/// User and system time of a process's threads: in nanoseconds (`schedstat`), where proc(5)'s `stat` has hundredths of a second,
/// which is a tenth of what is measured.
pub fn cpu_of(process: &str) -> Duration {
    cpu_of_threads(process, "")
}

/// The same of the threads whose name begins so.
pub fn cpu_of_threads(process: &str, name: &str) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap().map(|thread| thread.unwrap().path());
    // One that ends just now has nothing to say.
    let read = |thread: &Path, file: &str| fs::read_to_string(thread.join(file)).unwrap_or_default();
    let named = threads.filter(|thread| read(thread, "comm").starts_with(name));
    let on_cpu =
        |thread: PathBuf| read(&thread, "schedstat").split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok());
    Duration::from_nanos(named.filter_map(on_cpu).sum())
}

/// The same of who asks.
pub fn cpu_of_this_thread() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

/// The size of the binary in MiB.
pub fn size_of_binary() -> f64 {
    mib(binary().metadata().unwrap().len())
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1_024 * 1_024)
}
