//! Rows as CSV (RFC 4180) or NDJSON.

use crate::commands::time_json;
use crate::domain::filter::{Field, Kind};
use crate::report::{escape, json_line};
use crate::store::Value;
use std::borrow::Cow;

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// A head, then a line a row.
    Csv,
    /// An object a line.
    Ndjson,
}

/// How rows are written.
pub(super) struct Sheet {
    pub form: Form,
    pub columns: Vec<&'static Field>,
    /// Excel takes a file without the mark for another charset.
    pub excel: bool,
    /// What begins like a formula stays as it is: a program reads the CSV, no spreadsheet.
    pub raw: bool,
    /// A terminal reads along: nicknames must not steer it.
    pub escape: bool,
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
const LINE_END: &[u8] = b"\r\n";

impl Sheet {
    /// What stands before the rows.
    pub fn head(&self, out: &mut Vec<u8>) {
        if self.form == Form::Ndjson {
            return;
        }
        if self.excel {
            out.extend_from_slice(BYTE_ORDER_MARK);
        }
        let names: Vec<_> = self.columns.iter().map(|field| field.name).collect();
        out.extend_from_slice(names.join(",").as_bytes());
        out.extend_from_slice(LINE_END);
    }

    /// One row; the cells stand in the order of the columns.
    pub fn row(&self, cells: &[Value], out: &mut Vec<u8>) {
        let cells = self.columns.iter().zip(cells).enumerate();
        match self.form {
            Form::Csv => {
                for (at, (field, cell)) in cells {
                    out.extend_from_slice(if at > 0 { b"," } else { b"" });
                    self.csv(field, cell, out);
                }
                out.extend_from_slice(LINE_END);
            }
            Form::Ndjson => {
                for (at, (field, cell)) in cells {
                    out.extend_from_slice(if at > 0 { b"," } else { b"{" });
                    out.extend_from_slice(format!("\"{}\":{}", field.name, json(field, cell)).as_bytes());
                }
                out.extend_from_slice(b"}\n");
            }
        }
    }

    /// NULL is nothing, the empty text `""`.
    fn csv(&self, field: &Field, cell: &Value, out: &mut Vec<u8>) {
        let text = match cell {
            Value::Null | Value::Bytes(_) => return,
            Value::Int(ms) if field.kind == Kind::Due => Cow::Owned(time_json(*ms)),
            Value::Int(number) => Cow::Owned(number.to_string()),
            Value::Time(time) => Cow::Owned(time_json(time.timestamp_millis())),
            Value::Text(text) if !self.raw && is_free(field) && is_formula(text) => Cow::Owned(format!("'{text}")),
            Value::Text(text) => Cow::Borrowed(text.as_str()),
        };
        let text = if self.escape { escape(&text) } else { text };
        if !text.is_empty() && !text.contains([',', '"', '\r', '\n']) {
            return out.extend_from_slice(text.as_bytes());
        }
        out.push(b'"');
        out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    }
}

/// Not an id: its letters call no function, and a key must stay what others look up.
fn is_free(field: &Field) -> bool {
    !matches!(field.name, "account" | "openid" | "unionid")
}

/// What a spreadsheet computes when it opens the file; the wide forms count in some locales.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

/// As `followers list --json` shows it: ids and leases are text, for they have more digits than a double.
fn json(field: &Field, cell: &Value) -> String {
    match cell {
        Value::Null | Value::Bytes(_) => "null".to_owned(),
        Value::Int(number) if field.kind == Kind::Flag => (*number != 0).to_string(),
        Value::Int(ms) if field.kind == Kind::Due => format!("\"{}\"", time_json(*ms)),
        Value::Int(number) if matches!(field.name, "id" | "info_lease") => format!("\"{number}\""),
        Value::Int(number) => number.to_string(),
        Value::Time(time) => format!("\"{}\"", time_json(time.timestamp_millis())),
        Value::Text(text) => json_line(&serde_json::Value::from(text.as_str())),
    }
}
