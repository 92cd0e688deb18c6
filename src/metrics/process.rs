//! What the process takes, under the names that every Prometheus client gives it. From `/proc`, so on Linux alone.

use std::{fmt, fs};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};
use rustix::time::{ClockId, clock_gettime};

/// Read anew for each scrape.
#[derive(Debug)]
pub(super) struct Process {
    started: f64,
}

impl Default for Process {
    fn default() -> Self {
        Self { started: seconds(ClockId::Realtime) }
    }
}

impl Collector for Process {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> fmt::Result {
        let counter = ConstCounter::new(seconds(ClockId::ProcessCPUTime));
        counter.encode(to.encode_descriptor(
            "process_cpu",
            "Processor time, user and system",
            Some(&Unit::Seconds),
            counter.metric_type(),
        )?)?;
        gauge(&mut to, "process_start_time", "When it began, since 1970", Some(&Unit::Seconds), Some(self.started))?;
        gauge(&mut to, "process_resident_memory", "Memory that it takes", Some(&Unit::Bytes), resident())?;
        gauge(&mut to, "process_open_fds", "Open file descriptors", None, open_files())?;
        gauge(&mut to, "process_max_fds", "The most of them", None, most_files())
    }
}

fn gauge(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: Option<f64>,
) -> fmt::Result {
    let Some(value) = value else { return Ok(()) };
    let gauge = ConstGauge::new(value);
    gauge.encode(to.encode_descriptor(name, help, unit, gauge.metric_type())?)
}

#[expect(clippy::cast_precision_loss, reason = "no clock runs for as long as that")]
fn seconds(clock: ClockId) -> f64 {
    let read = clock_gettime(clock);
    read.tv_sec as f64 + read.tv_nsec as f64 / 1e9
}

/// In bytes.
fn resident() -> Option<f64> {
    let kib: f64 = word("/proc/self/status", "VmRSS:")?;
    Some(kib * 1024.0)
}

fn open_files() -> Option<f64> {
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    // One of them is the look itself.
    u32::try_from(open.saturating_sub(1)).ok().map(f64::from)
}

fn most_files() -> Option<f64> {
    word("/proc/self/limits", "Max open files")
}

/// The number that follows `name` in a file of lines.
fn word(file: &str, name: &str) -> Option<f64> {
    let text = fs::read_to_string(file).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}
