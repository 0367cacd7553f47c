//! The table of the members as it stands, and whether it has what is to be told. Reads only.

use super::super::{Dialect, Store};
use super::schema::{self, Table, quoted};
use crate::domain::near::near;
use crate::domain::notice::Source;
use crate::error::{Error, Result};
use crate::say;

/// Columns that go into one notification at the most: SQLite's functions take 127 arguments.
const MOST: usize = 60;
/// Letters of a column that are told.
const LETTERS: i64 = 20_000;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    /// Its type without size, in lower case.
    pub kind: String,
    /// Letters it takes, of a text.
    pub letters: Option<i64>,
    /// Whether it alone tells rows apart.
    pub key: bool,
}

/// The table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Members {
    pub columns: Vec<Column>,
    /// A table, and no view.
    pub is_table: bool,
}

impl Members {
    /// What a table will have that is not made yet.
    pub fn of(table: &Table) -> Members {
        let column = |column: &schema::Column| Column {
            name: column.name.clone(),
            kind: column.kind(),
            letters: column.letters(),
            key: column.written.contains("PRIMARY KEY"),
        };
        Members { columns: table.columns.iter().map(column).collect(), is_table: true }
    }

    /// A column by its name; databases do not tell its letters apart.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.to_lowercase() == name.to_lowercase())
    }

    /// Refuses what can't be told of: exit 78 with the setting that names it.
    pub fn check(&self, source: &Source, place: &str) -> Result<()> {
        let faults = self.faults(source);
        match faults.into_iter().next() {
            None => Ok(()),
            Some(fault) => Err(fault.error(source, place)),
        }
    }

    /// All that is in the way of telling.
    pub fn faults(&self, source: &Source) -> Vec<Fault> {
        if !self.is_table {
            return vec![Fault::View];
        }
        let mut faults = Vec::new();
        for (setting, name) in source.columns() {
            match self.column(name) {
                None => {
                    let near = near(name, self.columns.iter().map(|column| column.name.as_str())).map(str::to_owned);
                    faults.push(Fault::Missing { setting, name: name.to_owned(), near });
                }
                Some(column) if setting == "queue.id_column" && !(column.key && column.is_integer()) => {
                    faults.push(Fault::NoKey { name: column.name.clone(), kind: column.kind.clone() });
                }
                Some(column) if column.is_blob() => {
                    faults.push(Fault::Bytes { setting, name: column.name.clone(), kind: column.kind.clone() });
                }
                Some(_) => {}
            }
        }
        if source.fields.len() > MOST {
            faults.push(Fault::TooMany(source.fields.len()));
        }
        faults
    }
}

/// What is in the way of telling of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is a view: triggers are on tables.
    View,
    /// There is no such column.
    Missing { setting: &'static str, name: String, near: Option<String> },
    /// The id tells no rows apart, or is no number.
    NoKey { name: String, kind: String },
    /// A column of bytes without an end.
    Bytes { setting: &'static str, name: String, kind: String },
    /// More columns than a notification takes.
    TooMany(usize),
}

impl Fault {
    /// It as exit 78.
    pub fn error(&self, source: &Source, place: &str) -> Error {
        let table = &source.table;
        match self {
            Fault::View => {
                Error::config(say!("{table} in {place} is a view"; "{place} 中的 {table} 是视图")).next(say!(
                    "set queue.members_table to the table behind it";
                    "请把 queue.members_table 设为其背后的表"
                ))
            }
            Fault::Missing { setting, name, near } => {
                let error = Error::config(say!(
                    "{setting}: {table} in {place} has no column {name}";
                    "{setting}：{place} 中的 {table} 没有列 {name}"
                ));
                match near {
                    Some(near) => error.next(say!("did you mean {near}?"; "是不是 {near}？")),
                    None => error.next(say!("name columns that are there"; "请填写实际存在的列")),
                }
            }
            Fault::NoKey { name, kind } => Error::config(say!(
                "queue.id_column: {name} of {table} in {place} ({kind}) is no whole number that tells its rows apart";
                "queue.id_column：{place} 中 {table} 的 {name}（{kind}）不是能唯一标识行的整数"
            ))
            .next(say!(
                "name the primary key, or a column with a unique key of its own";
                "请填写主键，或有单列唯一键的列"
            )),
            Fault::Bytes { setting, name, kind } => Error::config(say!(
                "{setting}: {name} of {table} in {place} is {kind}, which can't be told in words";
                "{setting}：{place} 中 {table} 的 {name} 是 {kind}，无法写成文字"
            ))
            .next(say!("leave it out"; "请去掉该列")),
            Fault::TooMany(count) => Error::config(say!(
                "queue.fields: {count} columns are too many, {MOST} is the most";
                "queue.fields：{count} 列过多，最多 {MOST} 列"
            ))
            .next(say!("name those that are told"; "请只列出要通知的列")),
        }
    }
}

impl Column {
    fn is_integer(&self) -> bool {
        matches!(self.kind.as_str(), "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint")
    }

    fn is_blob(&self) -> bool {
        let bytes = ["blob", "mediumblob", "longblob", "vector", "geometry", "point", "linestring", "polygon"];
        bytes.contains(&self.kind.as_str()) || self.kind.starts_with("multi") || self.kind.starts_with("geom")
    }

    /// Its value as JSON takes it. Texts are brought to one character set, or two of different collations can't stand in
    /// one JSON; decimals and times are text, so that they stay as they were written.
    pub fn value(&self, dialect: Dialect, row: &str) -> String {
        let value = format!("{row}.{}", quoted(dialect, &self.name));
        if dialect == Dialect::Sqlite {
            // Any column may hold anything, and JSON takes no bytes: the registration would fail.
            return format!(
                "CASE typeof({value}) WHEN 'blob' THEN lower(hex(substr({value}, 1, 1024))) \
                 WHEN 'text' THEN substr({value}, 1, {LETTERS}) ELSE {value} END"
            );
        }
        match self.kind.as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "float" | "double" => value,
            "bit" | "year" => format!("{value} + 0"),
            "binary" | "varbinary" | "tinyblob" => format!("LOWER(HEX({value}))"),
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set" => {
                let text = format!("CONVERT({value} USING utf8mb4)");
                let long = self.letters.is_some_and(|letters| letters > LETTERS);
                if long { format!("LEFT({text}, {LETTERS})") } else { text }
            }
            "json" => format!("LEFT(CAST({value} AS CHAR), {LETTERS})"),
            _ => format!("CAST({value} AS CHAR)"),
        }
    }

    /// Its value to be compared letter by letter: most collations take `a` for `A`.
    pub fn exact(&self, dialect: Dialect, row: &str) -> String {
        let value = format!("{row}.{}", quoted(dialect, &self.name));
        let text = ["char", "varchar", "tinytext", "text", "mediumtext", "longtext"].contains(&self.kind.as_str());
        match dialect == Dialect::MySql && text {
            true => format!("CAST({value} AS BINARY)"),
            false => value,
        }
    }
}

impl Store {
    /// The table as it stands; `None` where there is none.
    pub(super) async fn members(&self, table: &str) -> Result<Option<Members>> {
        match self.dialect {
            Dialect::MySql => self.members_of_mysql(table).await,
            Dialect::Sqlite => self.members_of_sqlite(table).await,
        }
    }

    async fn members_of_mysql(&self, table: &str) -> Result<Option<Members>> {
        let sql = "SELECT CAST(table_type AS CHAR) FROM information_schema.tables \
                   WHERE table_schema = DATABASE() AND table_name = ?";
        let Some(kind) = self.row(sql, vec![table.into()], |row| row.text(0)).await? else { return Ok(None) };
        let sql = "SELECT CAST(column_name AS CHAR), CAST(data_type AS CHAR), character_maximum_length, \
             EXISTS (SELECT 1 FROM information_schema.statistics s WHERE s.table_schema = DATABASE() \
                 AND s.table_name = c.table_name AND s.non_unique = 0 GROUP BY s.index_name \
                 HAVING COUNT(*) = 1 AND MAX(s.column_name) = c.column_name) \
             FROM information_schema.columns c WHERE table_schema = DATABASE() AND table_name = ? \
             ORDER BY ordinal_position";
        let columns = self.rows(sql, vec![table.into()], |row| {
            Ok(Column {
                name: row.text(0)?,
                kind: row.text(1)?.to_ascii_lowercase(),
                letters: row.opt_int(2)?,
                key: row.int(3)? != 0,
            })
        });
        Ok(Some(Members { columns: columns.await?, is_table: kind == "BASE TABLE" }))
    }

    async fn members_of_sqlite(&self, table: &str) -> Result<Option<Members>> {
        let sql = "SELECT type FROM sqlite_master WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE";
        let Some(kind) = self.row(sql, vec![table.into()], |row| row.text(0)).await? else { return Ok(None) };
        // A column with an index of its own that is unique, or the only one of the primary key.
        let sql = "SELECT c.name, c.type, (c.pk = 1 AND (SELECT COUNT(*) FROM pragma_table_info(?1) WHERE pk > 0) = 1) \
             OR EXISTS (SELECT 1 FROM pragma_index_list(?1) l WHERE l.\"unique\" AND NOT l.partial \
                 AND (SELECT COUNT(*) FROM pragma_index_info(l.name)) = 1 \
                 AND (SELECT MAX(name) FROM pragma_index_info(l.name)) = c.name) \
             FROM pragma_table_xinfo(?1) c WHERE c.hidden <> 1 ORDER BY c.cid";
        let columns = self.rows(sql, vec![table.into()], |row| {
            let kind = row.opt_text(1)?.unwrap_or_default().to_ascii_lowercase();
            let kind = kind.split([' ', '(']).next().unwrap_or_default().to_owned();
            // Its types are hints: bytes may stand anywhere, and are told as hex.
            let kind = if kind.contains("blob") { "any".to_owned() } else { kind };
            Ok(Column { name: row.text(0)?, kind, letters: None, key: row.int(2)? != 0 })
        });
        Ok(Some(Members { columns: columns.await?, is_table: kind == "table" }))
    }
}
