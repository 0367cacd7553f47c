//! The file that keeps every row of a measurement, written as it comes.

use std::fmt::Display;
use std::fs::File;
use std::io::{Result, Write};
use std::path::Path;

/// Tab-separated, under a heading and the names of the columns.
pub struct Kept(File);

impl Kept {
    pub fn new(path: &Path, heading: &str, columns: &[&str]) -> Result<Self> {
        let mut file = File::create(path)?;
        writeln!(file, "# {heading}\n{}", columns.join("\t"))?;
        Ok(Kept(file))
    }

    /// Keeps a row, and shows it to who waits.
    pub fn row(&mut self, cells: &[&dyn Display]) -> Result<()> {
        let line = cells.iter().map(ToString::to_string).collect::<Vec<_>>().join("\t");
        eprintln!("{line}");
        writeln!(self.0, "{line}")
    }

    /// Keeps a row that comes too often to be shown.
    pub fn quiet_row(&mut self, cells: &[&dyn Display]) -> Result<()> {
        let line = cells.iter().map(ToString::to_string).collect::<Vec<_>>().join("\t");
        writeln!(self.0, "{line}")
    }
}
