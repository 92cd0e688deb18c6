//! Counters, gauges and histograms in the shapes that we use.

use std::{array, sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    metrics::{counter, family::Family, gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

type Labels<const N: usize> = [(&'static str, &'static str); N];

/// In seconds. Each call's classes: answered from memory, by the database, after hashing, after waiting, and too late.
const BUCKETS: [f64; 4] = [0.001, 0.01, 0.1, 1.0];
/// The same finer, where there is one histogram and not one for each method.
const FINE: [f64; 10] = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0];

/// It only goes up.
#[derive(Debug, Clone)]
pub struct Counter(counter::Counter);

/// One for each value of its labels.
#[derive(Debug, Clone)]
pub struct Counters<const N: usize> {
    names: [&'static str; N],
    family: Family<Labels<N>, counter::Counter>,
}

/// It goes up and down. NaN says that nobody knows.
#[derive(Debug, Clone)]
pub struct Gauge(gauge::Gauge<f64, AtomicU64>);

/// One for each value of its label.
#[derive(Debug, Clone)]
pub struct Gauges {
    name: &'static str,
    family: Family<Labels<1>, gauge::Gauge<f64, AtomicU64>>,
}

/// How long things take.
#[derive(Debug, Clone)]
pub struct Timing(Histogram);

/// The same for each value of its label.
#[derive(Debug, Clone)]
pub struct Timings {
    name: &'static str,
    family: Family<Labels<1>, Histogram>,
}

impl Counter {
    pub(super) fn new(registry: &mut Registry, name: &str, help: &str) -> Self {
        let counter = counter::Counter::default();
        registry.register(name, help, counter.clone());
        Self(counter)
    }

    /// One more.
    pub fn count(&self) {
        self.0.inc();
    }

    /// So many in all, by somebody else's count.
    pub fn reach(&self, total: u64) {
        self.0.inc_by(total.saturating_sub(self.0.get()));
    }
}

impl<const N: usize> Counters<N> {
    pub(super) fn new(registry: &mut Registry, name: &str, help: &str, names: [&'static str; N]) -> Self {
        let family = Family::default();
        registry.register(name, help, family.clone());
        Self { names, family }
    }

    /// One more.
    pub fn count(&self, values: [&'static str; N]) {
        self.add(values, 1);
    }

    /// So many more.
    pub fn add(&self, values: [&'static str; N], more: u64) {
        self.family.get_or_create(&array::from_fn(|n| (self.names[n], values[n]))).inc_by(more);
    }
}

impl Counters<1> {
    /// With zeros for these, so that their first increase is one.
    pub(super) fn with(self, values: &[&'static str]) -> Self {
        for value in values {
            self.add([value], 0);
        }
        self
    }
}

impl Gauge {
    pub(super) fn new(registry: &mut Registry, name: &str, help: &str) -> Self {
        let gauge = gauge::Gauge::default();
        registry.register(name, help, gauge.clone());
        Self(gauge)
    }

    pub(super) fn seconds(registry: &mut Registry, name: &str, help: &str) -> Self {
        let gauge = gauge::Gauge::default();
        registry.register_with_unit(name, help, Unit::Seconds, gauge.clone());
        Self(gauge)
    }

    /// It is this now.
    pub fn set(&self, value: f64) {
        self.0.set(value);
    }

    /// One more, until what is returned is dropped.
    #[must_use]
    pub fn hold(&self) -> Held {
        self.0.inc();
        Held(self.0.clone())
    }
}

/// One of what a gauge counts.
#[derive(Debug)]
pub struct Held(gauge::Gauge<f64, AtomicU64>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Gauges {
    pub(super) fn new(registry: &mut Registry, name: &str, help: &str, label: &'static str) -> Self {
        let family = Family::default();
        registry.register(name, help, family.clone());
        Self { name: label, family }
    }

    /// It is this now.
    pub fn set(&self, label: &'static str, value: f64) {
        self.family.get_or_create(&[(self.name, label)]).set(value);
    }
}

impl Timing {
    pub(super) fn new(registry: &mut Registry, name: &str, help: &str) -> Self {
        let histogram = Histogram::new(FINE);
        registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        Self(histogram)
    }

    /// It took so long.
    pub fn record(&self, took: Duration) {
        self.0.observe(took.as_secs_f64());
    }
}

impl Timings {
    pub(super) fn new(registry: &mut Registry, name: &str, help: &str, label: &'static str) -> Self {
        let family = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        registry.register_with_unit(name, help, Unit::Seconds, family.clone());
        Self { name: label, family }
    }

    /// It took so long.
    pub fn record(&self, label: &'static str, took: Duration) {
        self.family.get_or_create(&[(self.name, label)]).observe(took.as_secs_f64());
    }
}
