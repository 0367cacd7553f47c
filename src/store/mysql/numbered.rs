//! Statements with numbered arguments, `?1`, `?2`, …: SQLite binds them as they are. MySQL knows only `?`, so
//! one alone gets its arguments spread out, and many of the same text become one statement over a table of arguments.

use super::super::value::{Statement, Value};
use serde_json::json;
use std::borrow::Cow;

/// The statement as MySQL takes it: each `?n` a `?` of its own.
pub(super) fn spread(statement: &Statement) -> (Cow<'_, str>, Cow<'_, [Value]>) {
    if !numbered(&statement.sql) {
        return (Cow::Borrowed(&statement.sql), Cow::Borrowed(&statement.args));
    }
    let mut args = Vec::new();
    let sql = replace(&statement.sql, |number, sql| {
        args.extend(statement.args.get(number - 1).cloned());
        sql.push('?');
    });
    (Cow::Owned(sql), Cow::Owned(args))
}

/// The one row that an insertion of numbered arguments selects from; a table of arguments takes its place.
const ONE_ROW: &str = "(SELECT 1 AS one) AS v";

/// Whether statements of this text can be written together.
pub(super) fn joins(sql: &str) -> bool {
    let takes = sql.starts_with("UPDATE ") || sql.starts_with("DELETE FROM ") || inserts(sql);
    takes && numbered(sql)
}

fn inserts(sql: &str) -> bool {
    sql.starts_with("INSERT ") && sql.contains(ONE_ROW)
}

/// What stands in a statement for its person.
const PERSON: &str = "openid = ?2";

/// Whether two statements of one text differ in nothing but their person.
pub(super) fn among(one: &Statement, other: &Statement) -> bool {
    numbered(&one.sql)
        && one.sql.contains(PERSON)
        && !inserts(&one.sql)
        && one.args[0] == other.args[0]
        && one.args[2..] == other.args[2..]
}

/// Such statements as one, about a list of people: the last is repeated up to a power of two, so that the texts of
/// statements are few and each is prepared once.
pub(super) fn in_list(statements: &[&Statement]) -> (String, Vec<Value>) {
    let size = statements.len().next_power_of_two();
    let sql = statements[0].sql.replace(PERSON, &format!("openid IN ({})", vec!["?2"; size].join(", ")));
    let mut people = (0..size).map(|at| statements[at.min(statements.len() - 1)].args[1].clone());
    let mut args = Vec::new();
    let sql = replace(&sql, |number, sql| {
        args.extend(if number == 2 { people.next() } else { statements[0].args.get(number - 1).cloned() });
        sql.push('?');
    });
    (sql, args)
}

/// Statements of one text, `UPDATE table SET …`, `DELETE FROM table WHERE …` or an insertion that selects from
/// [`ONE_ROW`], as one; each must be about rows of its own. The table of arguments comes first in the join, so that
/// rows are locked in its order and found by their key.
pub(super) fn join(statements: &[&Statement]) -> (String, String) {
    let columns: Vec<String> = (0..statements[0].args.len()).map(|at| column(statements, at)).collect();
    let table = format!("JSON_TABLE(?, '$[*]' COLUMNS ({})) AS v", columns.join(", "));
    let body = replace(&statements[0].sql, |number, sql| sql.push_str(&format!("v.a{number}")));
    let sql = if let Some(update) = body.strip_prefix("UPDATE ") {
        format!("UPDATE {table} STRAIGHT_JOIN {update}")
    } else if let Some(delete) = body.strip_prefix("DELETE FROM ") {
        let name = delete.split(' ').next().unwrap_or_default();
        format!("DELETE {name} FROM {table} STRAIGHT_JOIN {delete}")
    } else {
        body.replace(ONE_ROW, &table)
    };
    let rows: Vec<Vec<serde_json::Value>> =
        statements.iter().map(|statement| statement.args.iter().map(in_json).collect()).collect();
    (sql, json!(rows).to_string())
}

fn column(statements: &[&Statement], at: usize) -> String {
    let values = || statements.iter().filter_map(|statement| statement.args.get(at));
    let number = at + 1;
    let kind = match values().find(|value| **value != Value::Null) {
        // Compared byte by byte in the character set of the column, else its key does not serve.
        _ if is_identifier(&statements[0].sql, number) => {
            "VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin".to_owned()
        }
        Some(Value::Int(_)) => "BIGINT".to_owned(),
        Some(Value::Time(_)) => "DATETIME(3)".to_owned(),
        // An argument that is null in all of them has no type of its own.
        _ => text(values()),
    };
    format!("a{number} {kind} PATH '$[{at}]' ERROR ON ERROR")
}

fn is_identifier(sql: &str, number: usize) -> bool {
    ["account", "openid"].iter().any(|name| sql.contains(&format!("{name} = ?{number} ")))
}

/// Widths are powers of two, so that the texts of statements are few and each is prepared once.
fn text<'a>(values: impl Iterator<Item = &'a Value>) -> String {
    let length = |value: &Value| match value {
        Value::Text(text) => text.chars().count(),
        _ => 0,
    };
    let width = values.map(length).max().unwrap_or_default().max(64).next_power_of_two();
    format!("VARCHAR({width}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
}

fn in_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null | Value::Bytes(_) => serde_json::Value::Null,
        Value::Int(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Time(time) => json!(time.format("%Y-%m-%d %H:%M:%S%.3f").to_string()),
    }
}

fn numbered(sql: &str) -> bool {
    sql.contains("?1")
}

/// Copies the text, with `put` in place of each `?n`.
fn replace(sql: &str, mut put: impl FnMut(usize, &mut String)) -> String {
    let mut out = String::with_capacity(sql.len() + 64);
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once('?') {
        out.push_str(before);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        put(after[..digits].parse().unwrap_or(1), &mut out);
        rest = &after[digits..];
    }
    out.push_str(rest);
    out
}
