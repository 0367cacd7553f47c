//! `./.env`. It may serve other programs too, so only misspelt names of ours are errors.

use super::keys;
use crate::domain::secret::Secret;
use crate::error::{Error, Result};
use crate::say;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Names that begin so are ours (WeChat Pay's are read by a later version).
const OURS: &[&str] = &["WXOPS_", "WECHAT_"];
const NOT_YET: &str = "WECHAT_PAY_";

/// The parsed file.
pub(super) struct DotEnv {
    pub path: PathBuf,
    values: BTreeMap<String, (Secret, usize)>,
}

impl DotEnv {
    /// Parses the file's text. A message never repeats the line: it may hold a secret.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let known = keys::variables();
        let mut values = BTreeMap::new();
        for item in dotenvy::from_read_iter(text.as_bytes()) {
            let (name, value) = item.map_err(|error| broken(path, text, &error))?;
            let lines = lines_of(text, &name);
            let line = lines.first().copied().unwrap_or(1);
            if !known.contains(&name) {
                if OURS.iter().any(|prefix| name.starts_with(prefix)) && !name.starts_with(NOT_YET) {
                    return Err(unknown(path, &name, line, &known));
                }
                continue;
            }
            if values.insert(name.clone(), (Secret::new(value), line)).is_some() {
                return Err(twice(path, &name, &lines));
            }
        }
        Ok(DotEnv { path: path.to_owned(), values })
    }

    /// The value and its line, unless it is absent or empty.
    pub fn get(&self, name: &str) -> Option<(&Secret, usize)> {
        let (value, line) = self.values.get(name)?;
        (!value.reveal().is_empty()).then_some((value, *line))
    }
}

/// The lines that set a name, counted from 1.
fn lines_of(text: &str, name: &str) -> Vec<usize> {
    let sets = |line: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    text.lines().enumerate().filter(|(_, line)| sets(line)).map(|(at, _)| at + 1).collect()
}

fn unknown(path: &Path, name: &str, line: usize, known: &[String]) -> Error {
    let shown = path.display();
    let error = Error::config(
        say!("{name} (line {line} of {shown}): unknown key"; "{name}（{shown} 第 {line} 行）：未知的配置项"),
    );
    match keys::near(name, known) {
        Some(near) => error.next(say!("did you mean {near}?"; "是不是 {near}？")),
        None => error,
    }
}

fn twice(path: &Path, name: &str, lines: &[usize]) -> Error {
    let shown = path.display();
    let lines = lines.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    Error::config(say!("{name} (lines {lines} of {shown}): given twice"; "{name}（{shown} 第 {lines} 行）：重复出现"))
}

fn broken(path: &Path, text: &str, error: &dotenvy::Error) -> Error {
    let shown = path.display();
    let at = match error {
        dotenvy::Error::LineParse(line, _) => text.find(line.trim_end()),
        _ => None,
    };
    let line = at.map_or(1, |at| 1 + text[..at].matches('\n').count());
    Error::config(
        say!("line {line} of {shown}: not of the form NAME=value"; "{shown} 第 {line} 行：格式应为 NAME=value"),
    )
    .next(say!("put a value with blanks or $ # \" ' in single quotes"; "含空格或 $ # \" ' 的值请用单引号括起来"))
}
