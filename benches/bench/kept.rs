//! The file that keeps every row of a measurement, written as it comes.

use super::plan::Plan;
use std::fmt::Display;
use std::fs::File;
use std::io::Write;

/// Tab-separated, under lines that say what was measured where, and the names of the columns.
pub struct Kept(File);

impl Kept {
    pub fn new(plan: &Plan, verb: &str, load: &str, columns: &[&str]) -> Result<Self, String> {
        let file = File::create(&plan.out).map_err(|error| format!("{}: {error}", plan.out.display()))?;
        let mut kept = Kept(file);
        for (name, value) in [("verb", verb), ("load", load)] {
            kept.line(&format!("# {name}: {value}"))?;
        }
        for (name, value) in plan.conditions() {
            kept.line(&format!("# {name}: {value}"))?;
        }
        kept.line(&columns.join("\t"))?;
        Ok(kept)
    }

    /// Keeps a row, and shows it to who waits.
    pub fn row(&mut self, cells: &[&dyn Display]) -> Result<(), String> {
        let line = joined(cells);
        eprintln!("{line}");
        self.line(&line)
    }

    /// Keeps a row that comes too often to be shown.
    pub fn quiet_row(&mut self, cells: &[&dyn Display]) -> Result<(), String> {
        self.line(&joined(cells))
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.0, "{line}").map_err(|error| format!("the rows can't be kept: {error}"))
    }
}

fn joined(cells: &[&dyn Display]) -> String {
    cells.iter().map(ToString::to_string).collect::<Vec<_>>().join("\t")
}
