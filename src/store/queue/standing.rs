//! What stands of the queue in the database. Reads only.

use super::super::Dialect;
use super::QueueDb;
use super::schema::{self, Index, ON_INSERT, ON_UPDATE, Table};
use crate::error::Result;

/// A column of a table that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    /// Without its size, in lower case.
    pub kind: String,
    pub letters: Option<i64>,
}

/// A table that stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub columns: Vec<Column>,
    /// Whether each is unique, and its columns.
    pub indexes: Vec<(bool, Vec<String>)>,
}

/// A trigger that stands under one of our names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StandingTrigger {
    pub name: String,
    pub table: String,
    /// On MySQL what it does, on SQLite the whole statement.
    pub text: String,
    /// As whom it runs, on MySQL.
    pub definer: String,
}

impl Standing {
    /// Columns that are missing.
    pub fn lacks<'a>(&self, wanted: &'a Table) -> Vec<&'a schema::Column> {
        let stands = |name: &str| self.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
        wanted.columns.iter().filter(|column| !stands(&column.name)).collect()
    }

    /// Indexes that are missing, whatever they are called.
    pub fn lacks_indexes<'a>(&self, wanted: &'a Table) -> Vec<&'a Index> {
        let serves = |index: &Index| {
            self.indexes.iter().any(|(unique, columns)| match index.unique {
                true => *unique && *columns == index.columns,
                false => columns.starts_with(&index.columns),
            })
        };
        wanted.indexes.iter().filter(|index| !serves(index)).collect()
    }

    /// Columns that can't hold what is written into them: as they are, and as they are wanted.
    pub fn unlike<'a>(&'a self, wanted: &'a Table, dialect: Dialect) -> Vec<(&'a Column, &'a schema::Column)> {
        if dialect == Dialect::Sqlite {
            return Vec::new();
        }
        let pair = |wanted: &'a schema::Column| {
            let stands = self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(&wanted.name))?;
            Some((stands, wanted)).filter(|(stands, wanted)| !stands.takes(wanted))
        };
        wanted.columns.iter().filter_map(pair).collect()
    }
}

impl Column {
    /// Whether what is written into a column of ours fits into this one.
    fn takes(&self, wanted: &schema::Column) -> bool {
        let kind = wanted.kind();
        match (size(&self.kind), size(&kind)) {
            (Some(stands), Some(wanted)) => return stands >= wanted,
            (None, None) => {}
            _ => return false,
        }
        let text = |kind: &str| kind.ends_with("char") || kind.ends_with("text");
        match (wanted.letters(), kind.as_str()) {
            (Some(letters), _) => text(&self.kind) && self.letters.unwrap_or(0) >= letters,
            (None, "json") => matches!(self.kind.as_str(), "json" | "longtext"),
            (None, _) => self.kind == kind,
        }
    }
}

/// How large a whole number fits.
fn size(kind: &str) -> Option<usize> {
    ["tinyint", "smallint", "mediumint", "int", "bigint"].iter().position(|known| *known == kind)
}

impl QueueDb {
    /// A table; `None` where there is none.
    pub(super) async fn standing(&self, table: &str) -> Result<Option<Standing>> {
        let (columns, indexes) = match self.dialect() {
            Dialect::MySql => (
                "SELECT CAST(column_name AS CHAR), CAST(data_type AS CHAR), character_maximum_length \
                 FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position",
                "SELECT CAST(index_name AS CHAR), CAST(non_unique AS SIGNED), CAST(column_name AS CHAR) \
                 FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? \
                 ORDER BY index_name, seq_in_index",
            ),
            Dialect::Sqlite => (
                "SELECT name, lower(type), NULL FROM pragma_table_info(?) ORDER BY cid",
                "SELECT l.name, NOT l.\"unique\", i.name FROM pragma_index_list(?) l, pragma_index_info(l.name) i \
                 ORDER BY l.name, i.seqno",
            ),
        };
        let columns = self.rows(columns, vec![table.into()], |row| {
            Ok(Column { name: row.text(0)?, kind: row.text(1)?.to_ascii_lowercase(), letters: row.opt_int(2)? })
        });
        let columns = columns.await?;
        if columns.is_empty() {
            return Ok(None);
        }
        let part = self.rows(indexes, vec![table.into()], |row| {
            Ok((row.text(0)?, row.int(1)? == 0, row.opt_text(2)?.unwrap_or_default()))
        });
        let mut indexes: Vec<(String, bool, Vec<String>)> = Vec::new();
        for (name, unique, column) in part.await? {
            match indexes.last_mut().filter(|last| last.0 == name) {
                Some(last) => last.2.push(column),
                None => indexes.push((name, unique, vec![column])),
            }
        }
        let indexes = indexes.into_iter().map(|(_, unique, columns)| (unique, columns)).collect();
        Ok(Some(Standing { columns, indexes }))
    }

    /// The triggers that stand under our names.
    pub(super) async fn standing_triggers(&self) -> Result<Vec<StandingTrigger>> {
        let sql = match self.dialect() {
            Dialect::MySql => {
                "SELECT CAST(trigger_name AS CHAR), CAST(event_object_table AS CHAR), CAST(action_statement AS CHAR), \
                 CAST(definer AS CHAR) FROM information_schema.triggers \
                 WHERE trigger_schema = DATABASE() AND trigger_name IN (?, ?)"
            }
            Dialect::Sqlite => {
                "SELECT name, tbl_name, sql, '' FROM sqlite_master WHERE type = 'trigger' AND name IN (?, ?)"
            }
        };
        self.rows(sql, vec![ON_INSERT.into(), ON_UPDATE.into()], |row| {
            Ok(StandingTrigger { name: row.text(0)?, table: row.text(1)?, text: row.text(2)?, definer: row.text(3)? })
        })
        .await
    }

    /// The body of a procedure. `None`: there is none; an empty one: we may not see it.
    pub(super) async fn standing_procedure(&self, name: &str) -> Result<Option<String>> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(None);
        }
        let sql = "SELECT CAST(routine_definition AS CHAR) FROM information_schema.routines \
                   WHERE routine_schema = DATABASE() AND routine_type = 'PROCEDURE' AND routine_name = ?";
        Ok(self.row(sql, vec![name.into()], |row| row.opt_text(0)).await?.map(Option::unwrap_or_default))
    }
}
