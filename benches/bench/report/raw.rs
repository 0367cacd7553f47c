//! The rows of a measurement, read back from their file.

use std::path::Path;

pub struct Raw {
    head: Vec<(String, String)>,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Raw {
    pub fn read(path: &Path) -> Result<Raw, String> {
        Raw::parse(&std::fs::read_to_string(path).map_err(|error| error.to_string())?)
    }

    pub fn parse(text: &str) -> Result<Raw, String> {
        let mut lines = text.lines().peekable();
        let mut head = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with('#')) {
            let pair = line.trim_start_matches(['#', ' ']).split_once(": ");
            let (name, value) = pair.ok_or_else(|| format!("not `# name: value`: {line}"))?;
            head.push((name.to_owned(), value.to_owned()));
        }
        let columns: Vec<_> = lines.next().ok_or("no line that names the columns")?.split('\t').collect();
        let columns: Vec<_> = columns.into_iter().map(str::to_owned).collect();
        let rows: Vec<Vec<_>> = lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect();
        match rows.iter().find(|row| row.len() != columns.len()) {
            Some(row) => Err(format!("{} cells below {} columns: {row:?}", row.len(), columns.len())),
            None => Ok(Raw { head, columns, rows }),
        }
    }

    /// What a line of the head says; nothing where there is none.
    pub fn said(&self, name: &str) -> &str {
        self.head.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { raw: self, cells })
    }
}

#[derive(Clone, Copy)]
pub struct Row<'a> {
    raw: &'a Raw,
    cells: &'a [String],
}

impl<'a> Row<'a> {
    pub fn text(&self, column: &str) -> &'a str {
        let at = self.raw.columns.iter().position(|name| name == column);
        at.map_or("", |at| &self.cells[at])
    }

    /// Not a number where the cell holds none.
    pub fn number(&self, column: &str) -> f64 {
        self.text(column).parse().unwrap_or(f64::NAN)
    }

    /// True when the cell holds this.
    pub fn is(&self, column: &str, value: &str) -> bool {
        self.text(column) == value
    }
}

/// The middle of the figures; not a number where one of them is none, or none is there.
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_unstable_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        _ if figures.iter().any(|figure| figure.is_nan()) => f64::NAN,
        odd if odd % 2 == 1 => figures[middle],
        _ => (figures[middle - 1] + figures[middle]) / 2.0,
    }
}
