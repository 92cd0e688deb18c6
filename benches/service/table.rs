//! The page that is printed.

use std::{fs, process::Command};

use super::{load::Outcome, process::binary};

/// What it was measured on.
pub fn head() {
    let date = time::OffsetDateTime::now_utc().date();
    let commit = Command::new("git")
        .args(["rev-parse", "HEAD"])
        .output()
        .map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name\t: ")).unwrap_or("unknown");
    let count = std::thread::available_parallelism().unwrap();
    let folder = std::env::current_dir().unwrap();
    let binary = binary();
    let binary = binary.strip_prefix(folder).unwrap_or(&binary).display();
    println!(
        "# What calls cost\n\n{date}, commit {commit}, {binary}, {model}, {count} processors, shared with what makes the calls."
    );
}

/// A heading over lines about calls.
pub fn calls_head() {
    println!("\n| | server CPU per call | calls/s | p50 | p99 |\n| --- | --- | --- | --- | --- |");
}

/// A line about calls.
pub fn calls(name: &str, outcome: &Outcome) {
    let (p50, p99) = (outcome.percentile(50), outcome.percentile(99));
    println!("| {name} | {:.1} µs | {:.0} | {p50:.2} ms | {p99:.2} ms |", outcome.cpu_per_call(), outcome.rate());
}

/// A heading over figures with limits.
pub fn limits_head() {
    println!("\n| | measured | at most | |\n| --- | --- | --- | --- |");
}

/// A figure by itself.
pub fn figure(name: &str, value: f64, unit: &str) {
    println!("| {name} | {value:.2}{unit} | | |");
}

/// A figure with its limit.
pub fn limit(name: &str, value: f64, most: f64, unit: &str) {
    let verdict = if value <= most { "holds" } else { "**does not hold**" };
    println!("| {name} | {value:.2}{unit} | {}{unit} | {verdict} |", (most * 100.0).round() / 100.0);
}
