//! `make bench`: what calls cost the server, as ratios to what nobody can do without, all measured in one run beside each
//! other; `cargo bench --bench service -- PART…` measures some of `calls`, `observing`, `refresh`, `hashing`, `listening`,
//! `memory`. `docs/measurements/` keeps the results.

#![expect(
    clippy::doc_markdown,
    clippy::unchecked_time_subtraction,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a program that measures, and prints"
)]

mod bare_sign_in;
mod calls;
mod engines;
mod fixture;
mod hashing;
mod listening;
mod load;
mod memory;
mod observing;
mod peers;
mod process;
mod rare;
mod refresh;
mod sign_in;
mod table;

use std::path::Path;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let Ok(kind) = std::env::var(peers::KIND) {
        let answers = std::env::var(peers::ANSWERS).unwrap();
        runtime.block_on(peers::serve(&kind, Path::new(&answers)));
        return;
    }
    let named: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |part: &str| named.is_empty() || named.iter().any(|name| name == part);
    table::head();
    runtime.block_on(async {
        if is_wanted("calls") {
            calls::measure().await;
        }
        if is_wanted("observing") {
            observing::measure().await;
        }
        if is_wanted("refresh") {
            refresh::measure().await;
        }
        if is_wanted("hashing") {
            hashing::measure().await;
        }
        if is_wanted("listening") {
            listening::measure().await;
        }
        if is_wanted("memory") {
            memory::measure().await;
        }
    });
}
