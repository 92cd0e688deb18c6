//! `[metrics]` and `[telemetry]`: what whoever watches over the service is told, and where.

use std::net::SocketAddr;

use super::reader::Reader;
use crate::server::{Collector, Traces};

/// Where Prometheus reads; inside, `None` for nowhere.
#[expect(clippy::option_option, reason = "the outer one is for what is wrong")]
pub(super) fn read_metrics(reader: &mut Reader) -> Option<Option<SocketAddr>> {
    let wanted = "must be an address and a port, like 127.0.0.1:9464, or \"off\"";
    let listen: Option<SocketAddr> = reader.parse("metrics.listen", |text| match text {
        "off" => Ok(None),
        text => text.parse().map(Some).map_err(|_| wanted),
    })?;
    if let Some(listen) = listen.filter(|listen| !reader.is_production() && !listen.ip().to_canonical().is_loopback()) {
        let what = format!(
            "is open to other machines, for which the development profile is not made: listen on 127.0.0.1:{}",
            listen.port()
        );
        reader.refuse("metrics.listen", what);
    }
    Some(listen)
}

/// Whom spans are told to; inside, `None` for nobody.
#[expect(clippy::option_option, reason = "the outer one is for what is wrong")]
pub(super) fn read_traces(reader: &mut Reader) -> Option<Option<Traces>> {
    let one_in = reader.number("telemetry.sample_one_in", 1..=1_000_000);
    if !reader.is_set("telemetry.otlp_endpoint") {
        return one_in.map(|_| None);
    }
    let collector: Option<Collector> = reader.parse("telemetry.otlp_endpoint", str::parse);
    Some(Some(Traces { collector: collector?, one_in: one_in? }))
}
