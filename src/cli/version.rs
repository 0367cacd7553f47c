//! `wxops --version`.

use crate::report::Format;
use std::io::Write;
use std::process::ExitCode;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const COMMIT: &str = env!("WXOPS_COMMIT");
const TARGET: &str = env!("WXOPS_TARGET");

/// Version, commit and target on one line, or as an object.
pub(super) fn show(format: Format) -> ExitCode {
    let line = match format {
        Format::Table => format!("wxops {VERSION} ({COMMIT} {TARGET})\n"),
        Format::Json => format!("{}\n", serde_json::json!({"version": VERSION, "commit": COMMIT, "target": TARGET})),
    };
    // A reader that left is no failure.
    let _ = std::io::stdout().write_all(line.as_bytes());
    ExitCode::SUCCESS
}
