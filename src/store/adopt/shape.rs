//! `user_mapping` as it stands in MySQL or MariaDB: what the catalogue says of it. Reads only.

use super::super::Store;
use super::MARK;
use crate::error::Result;

/// A table of another program, or ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// No view.
    pub is_table: bool,
    /// InnoDB, MyISAM, …
    pub engine: String,
    /// Dynamic, Compact, …
    pub row_format: String,
    pub columns: Vec<Column>,
    pub keys: Vec<Key>,
    /// Names of triggers on it.
    pub triggers: Vec<String>,
    /// Its columns that a foreign key binds to another table, or another table to it.
    pub bound: Vec<String>,
}

/// One of its columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    /// varchar
    pub kind: String,
    /// varchar(64)
    pub written: String,
    pub charset: Option<String>,
    pub collation: Option<String>,
    /// Characters, of a text.
    pub length: i64,
    pub nullable: bool,
    pub has_default: bool,
    /// auto_increment, on update …, … generated
    pub extra: String,
    pub comment: String,
    /// Of its line in SHOW CREATE TABLE what stands behind type, character set and collation.
    pub rest: String,
}

/// One of its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Key {
    pub name: String,
    pub unique: bool,
    /// In order, in lower case.
    pub columns: Vec<String>,
}

impl Shape {
    /// A column by its name; MySQL does not tell letters of column names apart.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// Whether these columns are unique together.
    pub fn is_unique(&self, columns: &[&str]) -> bool {
        self.keys.iter().any(|key| key.unique && key.columns == columns)
    }

    /// Whether a key begins with these columns.
    pub fn has_key(&self, columns: &[&str]) -> bool {
        self.keys.iter().any(|key| key.columns.len() >= columns.len() && key.columns[..columns.len()] == *columns)
    }

    /// The primary key's columns.
    pub fn primary(&self) -> Option<&[String]> {
        self.keys.iter().find(|key| key.name == "PRIMARY").map(|key| key.columns.as_slice())
    }

    /// The offset it was taken over with, as `account`'s comment has it.
    pub fn mark(&self) -> Option<&str> {
        self.column("account").and_then(|account| account.comment.strip_prefix(MARK))
    }
}

impl Column {
    /// Whether an INSERT that does not name it finds nothing to write.
    pub fn must_be_given(&self) -> bool {
        !self.nullable && !self.has_default && self.extra.is_empty()
    }

    /// Whether the database computes it.
    pub fn is_generated(&self) -> bool {
        self.extra.to_ascii_uppercase().contains("GENERATED")
            && !self.extra.to_ascii_uppercase().contains("DEFAULT_GENERATED")
    }
}

impl Store {
    /// The table; `None` where there is none. For MySQL.
    pub(super) async fn user_mapping(&self) -> Result<Option<Shape>> {
        let sql = "SELECT CAST(table_type AS CHAR), CAST(COALESCE(engine, '') AS CHAR), CAST(COALESCE(row_format, '') AS CHAR) \
             FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'user_mapping'";
        let table = self.row(sql, vec![], |row| Ok((row.text(0)?, row.text(1)?, row.text(2)?))).await?;
        let Some((table, engine, row_format)) = table else { return Ok(None) };
        if table != "BASE TABLE" {
            return Ok(Some(Shape { is_table: false, ..Shape::default() }));
        }
        let created = self.row("SHOW CREATE TABLE user_mapping", vec![], |row| row.text(1)).await?.unwrap_or_default();
        let sql = "SELECT CAST(column_name AS CHAR), CAST(data_type AS CHAR), CAST(column_type AS CHAR), \
             CAST(character_set_name AS CHAR), CAST(collation_name AS CHAR), character_maximum_length, \
             CAST(is_nullable AS CHAR), column_default IS NOT NULL AND column_default <> 'NULL', CAST(extra AS CHAR), \
             CAST(column_comment AS CHAR) FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = 'user_mapping' ORDER BY ordinal_position";
        let columns = self.rows(sql, vec![], |row| {
            let (name, written) = (row.text(0)?, row.text(2)?);
            Ok(Column {
                kind: row.text(1)?.to_ascii_lowercase(),
                rest: rest(&created, &name, &written),
                charset: row.opt_text(3)?,
                collation: row.opt_text(4)?,
                length: row.opt_int(5)?.unwrap_or_default(),
                nullable: row.text(6)? == "YES",
                has_default: row.opt_int(7)? == Some(1),
                extra: row.text(8)?,
                comment: row.text(9)?,
                name,
                written,
            })
        });
        let columns = columns.await?;
        let sql = "SELECT CAST(index_name AS CHAR), CAST(non_unique AS SIGNED), CAST(column_name AS CHAR) \
             FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'user_mapping' \
             ORDER BY index_name, seq_in_index";
        let parts = self.rows(sql, vec![], |row| Ok((row.text(0)?, row.int(1)?, row.opt_text(2)?))).await?;
        let mut keys: Vec<Key> = Vec::new();
        for (name, non_unique, column) in parts {
            if keys.last().is_none_or(|key| key.name != name) {
                keys.push(Key { name, unique: non_unique == 0, columns: Vec::new() });
            }
            if let Some(key) = keys.last_mut() {
                key.columns.push(column.unwrap_or_default().to_ascii_lowercase());
            }
        }
        let sql = "SELECT CAST(trigger_name AS CHAR) FROM information_schema.triggers \
             WHERE event_object_schema = DATABASE() AND event_object_table = 'user_mapping' ORDER BY 1";
        let triggers = self.rows(sql, vec![], |row| row.text(0)).await?;
        // Of this database alone: for the others the server would open every table that it has.
        let sql = "SELECT CAST(column_name AS CHAR) FROM information_schema.key_column_usage WHERE table_schema = DATABASE() \
             AND table_name = 'user_mapping' AND referenced_table_name IS NOT NULL \
             UNION SELECT CAST(referenced_column_name AS CHAR) FROM information_schema.key_column_usage \
             WHERE table_schema = DATABASE() AND referenced_table_schema = DATABASE() \
             AND referenced_table_name = 'user_mapping'";
        let bound = self.rows(sql, vec![], |row| Ok(row.text(0)?.to_ascii_lowercase())).await?;
        Ok(Some(Shape { is_table: true, engine, row_format, columns, keys, triggers, bound }))
    }
}

/// What stands behind a column's type, character set and collation in its line: NOT NULL, DEFAULT, COMMENT, …
fn rest(created: &str, name: &str, written: &str) -> String {
    let begin = format!("`{name}` ");
    let line = created.lines().find_map(|line| line.trim_start().strip_prefix(&begin));
    let line = line.unwrap_or_default().trim_end_matches(',');
    let mut rest = line.strip_prefix(written).unwrap_or(line).trim_start();
    for word in ["CHARACTER SET ", "COLLATE "] {
        if let Some(after) = rest.strip_prefix(word) {
            rest = after.split_once(' ').map_or("", |(_, rest)| rest);
        }
    }
    rest.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_what_is_behind_its_type() {
        let created = "CREATE TABLE `user_mapping` (\n  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,\n  \
             `nickname` varchar(64) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci NOT NULL DEFAULT 'a, b' COMMENT 'it''s',\n  \
             `city` varchar(9) COLLATE x,\n  PRIMARY KEY (`id`)\n)";
        assert_eq!(rest(created, "id", "int(10) unsigned"), "NOT NULL AUTO_INCREMENT");
        assert_eq!(rest(created, "nickname", "varchar(64)"), "NOT NULL DEFAULT 'a, b' COMMENT 'it''s'");
        assert_eq!(rest(created, "city", "varchar(9)"), "");
        assert_eq!(rest(created, "unionid", "varchar(9)"), "");
    }
}
