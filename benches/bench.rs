//! How fast the release binary is, and whether it is above its bars. scripts/bench calls it and says what it measures.

#[path = "bench/mod.rs"]
mod bench;
#[path = "../tests/all/http.rs"]
mod http;
#[path = "../tests/load/mod.rs"]
mod load;
#[path = "../tests/all/process.rs"]
mod process;
#[path = "../tests/all/rows.rs"]
mod rows;
#[path = "../tests/all/signer.rs"]
mod signer;
#[path = "../tests/all/stage.rs"]
mod stage;

use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    // cargo bench adds --bench.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    // What we started is killed as the measurement is dropped: it stands in groups that a Ctrl-C does not reach.
    let code = tokio::select! {
        code = bench::run(&args) => code,
        code = interrupted() => code,
    };
    ExitCode::from(code)
}

async fn interrupted() -> u8 {
    let mut term = signal(SignalKind::terminate()).expect("a handler of SIGTERM");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => 130,
        _ = term.recv() => 143,
    }
}
