//! The measurements. Each leaves its rows in a file; tables and verdicts are made from the file alone, here and later.

#![allow(dead_code, reason = "tests/all mounts this too: its stories race and judge, and do not measure")]

pub mod callback;
mod faults;
mod kept;
mod million;
mod outcome;
pub mod page;
mod parts;
pub mod plan;
pub mod race;
pub mod report;
pub mod sealed;
mod start;
mod under;

use plan::Plan;
use report::raw::Raw;
use report::{Report, bars::Verdict};
use std::path::Path;

/// Exit codes, as everywhere: below a bar, or what was to be measured does not work; the call is wrong; a file is.
const MISSED: u8 = 1;
const USAGE: u8 = 2;
const NO_INPUT: u8 = 66;

/// The whole program; its exit code.
pub async fn run(args: &[&str]) -> u8 {
    match *args {
        // The parts of a measurement that run in processes of their own.
        ["door"] => parts::door().await,
        ["ceiling"] => parts::ceiling().await,
        ["commits", url, seconds, count] => match (seconds.parse(), count.parse()) {
            (Ok(seconds), Ok(count)) => parts::commits(url, seconds, count).await,
            _ => return usage(),
        },
        ["table", "--check", ref files @ ..] if !files.is_empty() => return tables(files, true),
        ["table", ref files @ ..] if !files.is_empty() => return tables(files, false),
        ["page", file] => return page::write(Path::new(file)),
        [verb, ref flags @ ..] => return measured(verb, flags).await,
        [] => return usage(),
    }
    0
}

async fn measured(verb: &str, flags: &[&str]) -> u8 {
    let Some(plan) = Plan::read(flags) else { return usage() };
    let done = match verb {
        "callback" => callback::measure(&plan).await,
        "faults" => faults::measure(&plan).await,
        "race" => race::measure(&plan).await,
        "million" => million::measure(&plan).await,
        "start" => start::measure(&plan).await,
        _ => return usage(),
    };
    if let Err(fault) = done {
        eprintln!("scripts/bench: {fault}");
        return MISSED;
    }
    let code = show(&plan.out, plan.check);
    println!("every row: {}", plan.out.display());
    code
}

fn tables(files: &[&str], check: bool) -> u8 {
    files.iter().map(|file| show(Path::new(file), check)).max().unwrap_or_default()
}

/// The table of a file's rows, and what the bars say.
fn show(file: &Path, check: bool) -> u8 {
    let report = Raw::read(file).and_then(|raw| Report::of(&raw));
    let report = match report {
        Ok(report) => report,
        Err(fault) => {
            eprintln!("scripts/bench: {}: {fault}", file.display());
            return NO_INPUT;
        }
    };
    println!("{}", report.table);
    report.verdicts.iter().for_each(|verdict| println!("{verdict}"));
    let met = report.verdicts.iter().all(Verdict::met);
    if check && !met { MISSED } else { 0 }
}

fn usage() -> u8 {
    eprintln!(
        "usage: bench callback|faults|race|million|start {} | bench table [--check] FILE… | bench page FILE \
         (scripts/bench prepares what they need)",
        plan::FLAGS
    );
    USAGE
}
