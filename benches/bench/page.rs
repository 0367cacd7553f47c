//! The tables of a page, from the files of rows beside it: between `<!-- rows: FILE -->` and `<!-- end -->`.

use super::report::Report;
use super::report::raw::Raw;
use std::path::Path;

const START: &str = "<!-- rows: ";
const END: &str = "<!-- end -->";

/// Writes them anew; the exit code.
pub fn write(page: &Path) -> u8 {
    let written = filled(page).and_then(|text| std::fs::write(page, text).map_err(|error| error.to_string()));
    match written {
        Ok(()) => 0,
        Err(fault) => {
            eprintln!("scripts/bench: {}: {fault}", page.display());
            super::NO_INPUT
        }
    }
}

/// The page as it should be.
pub fn filled(page: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(page).map_err(|error| error.to_string())?;
    let mut filled = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once(START) {
        let (file, after) = after.split_once(" -->").ok_or_else(|| format!("`{START}` is not closed"))?;
        let (_, after) = after.split_once(END).ok_or_else(|| format!("no `{END}` behind {file}"))?;
        filled += &format!("{before}{START}{file} -->\n{}\n{END}", section(page, file)?);
        rest = after;
    }
    Ok(filled + rest)
}

fn section(page: &Path, file: &str) -> Result<String, String> {
    let path = page.parent().unwrap_or(Path::new("")).join(file);
    if !path.exists() {
        return Ok("Not measured yet.".to_owned());
    }
    let report = Raw::read(&path).and_then(|raw| Report::of(&raw)).map_err(|fault| format!("{file}: {fault}"))?;
    let verdicts: Vec<_> = report.verdicts.iter().map(|verdict| format!("- {verdict}")).collect();
    Ok(format!("{}\n{}\n\nEvery row: [{file}]({file}).", report.table, verdicts.join("\n")))
}
