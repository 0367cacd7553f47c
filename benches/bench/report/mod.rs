//! From the rows of a file to its table and its verdicts.

pub mod bars;
mod callback;
pub mod faults;
mod million;
mod race;
pub mod raw;
mod start;
mod sync;

pub use callback::Case;
pub use race::OURS;

use bars::Verdict;
use raw::Raw;

pub struct Report {
    /// Under what was measured where.
    pub table: String,
    pub verdicts: Vec<Verdict>,
}

impl Report {
    pub fn of(raw: &Raw) -> Result<Report, String> {
        if raw.rows().next().is_none() {
            return Err("no row was kept".into());
        }
        let (table, verdicts) = match raw.said("verb") {
            "callback" => (callback::table(raw), callback::verdicts(raw)),
            "faults" => (faults::table(raw), faults::verdicts(raw)),
            "race" => (race::table(raw), race::verdicts(raw)),
            "million" => (million::table(raw), million::verdicts(raw)),
            "start" => (start::table(raw), start::verdicts(raw)),
            "sync" => (sync::table(raw), sync::verdicts(raw)),
            verb => return Err(format!("not a file of scripts/bench: it says `verb: {verb}`")),
        };
        Ok(Report { table: format!("{}\n\n{table}", heading(raw)), verdicts })
    }
}

fn heading(raw: &Raw) -> String {
    let said = ["machine", "cpus", "disk", "database", "wxops", "taken"].map(|name| raw.said(name));
    let said: Vec<_> = said.into_iter().filter(|words| !words.is_empty()).collect();
    format!("{}.\n{}.", raw.said("load"), said.join("; "))
}

/// The databases that were measured, in this order.
fn databases(raw: &Raw) -> impl Iterator<Item = &'static str> {
    ["sqlite", "mariadb"].into_iter().filter(|db| raw.rows().any(|row| row.is("database", db)))
}
