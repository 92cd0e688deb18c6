//! The binary: reads the command line, does what it says, and tells how that went.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use countersign::{
    cli::{self, Cli},
    telemetry,
};

/// A call makes some dozens of small things that another thread drops, which the C library's allocator is slow at
/// (docs/decisions/0015).
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // When standard error is gone there is nobody left to tell: the status still says it.
            let _ = report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// One line per cause, the outermost first.
fn report(error: &cli::Error) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    for (index, line) in error.lines().iter().enumerate() {
        let mark = if index == 0 { "error: " } else { "  " };
        writeln!(stderr, "{mark}{}", telemetry::escaped(line))?;
    }
    Ok(())
}
