//! What it costs that calls are seen: WhoAmI where nothing is logged, as it is by default, and with each call told to a collector.

use std::sync::Arc;

use super::{
    calls::{PEOPLE, Rpc, Target},
    fixture::Fixture,
    load::{Outcome, closed},
    peers::COLLECTOR,
    process::Running,
    table,
};

const CLIENTS: usize = 32;
/// So many calls in each of so many turns; the first turn warms up and does not count.
const CALLS: usize = 8_000;
const TURNS: usize = 6;

/// Measures, and prints. Counting is not among it, as nothing turns it off: `make bench-micro` has it by itself.
pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Running::peer(COLLECTOR, folder.path());
    let kinds = [
        ("no log", ("LOG__LEVEL", "error".to_owned())),
        ("by default", ("LOG__LEVEL", "info".to_owned())),
        ("each call told to a collector", ("TELEMETRY__OTLP_ENDPOINT", collector.url())),
    ];
    let (mut services, mut targets) = (Vec::new(), Vec::new());
    for (number, (_, setting)) in kinds.iter().enumerate() {
        let folder = folder.path().join(number.to_string());
        std::fs::create_dir(&folder).unwrap();
        let service = Running::service(&folder, std::slice::from_ref(setting));
        let fixture = Arc::new(Fixture::create(&service, &folder, PEOPLE).await);
        targets.push(Target::new(&service, &fixture).await);
        services.push(service);
    }
    let mut outcomes: [Outcome; 3] = Default::default();
    for turn in 0..TURNS {
        for (service, (target, outcome)) in services.iter().zip(targets.iter().zip(&mut outcomes)) {
            let target = target.clone();
            let call = move |number| target.clone().call(Rpc::WhoAmI, number, number % PEOPLE);
            let run = closed(service, CLIENTS, CALLS, call).await;
            if turn > 0 {
                outcome.add(run);
            }
        }
    }
    table::calls_head();
    for ((name, _), outcome) in kinds.iter().zip(&outcomes) {
        table::calls(&format!("WhoAmI, {name}"), outcome);
    }
}
