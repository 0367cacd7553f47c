//! The tables and procedures of the queue: their SQL is in `sql/*/queue`, which people read and run by hand too.

use super::super::Dialect;
use super::script::statements;

/// The queue.
pub(super) const QUEUE: &str = "member_notification_queue";
/// The trigger for new members, and the one for changes.
pub(super) const ON_INSERT: &str = "tr_member_insert_notification";
pub(super) const ON_UPDATE: &str = "tr_member_update_notification";

const MYSQL_TABLES: &str = include_str!("../../../sql/mysql/queue/1_tables.sql");
const MYSQL_PROCEDURES: &str = include_str!("../../../sql/mysql/queue/2_procedures.sql");
const MYSQL_DEMO: &str = include_str!("../../../sql/mysql/queue/demo.sql");
const SQLITE_TABLES: &str = include_str!("../../../sql/sqlite/queue/1_tables.sql");
const SQLITE_DEMO: &str = include_str!("../../../sql/sqlite/queue/demo.sql");

/// A table as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub name: String,
    /// The whole statement.
    pub sql: String,
    pub columns: Vec<Column>,
    pub indexes: Vec<Index>,
}

/// One of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    /// As it is written, behind its name.
    pub written: String,
}

/// An index of it, beside that of its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Index {
    pub name: String,
    pub unique: bool,
    pub columns: Vec<String>,
    /// The statement that makes it on a table that stands.
    pub sql: String,
}

impl Column {
    /// The type without its size, in lower case.
    pub fn kind(&self) -> String {
        let word = self.written.split([' ', '(']).next().unwrap_or_default();
        word.to_ascii_lowercase()
    }

    /// How many letters it takes, where it says.
    pub fn letters(&self) -> Option<i64> {
        let (_, rest) = self.written.split_once('(')?;
        rest.split_once(')')?.0.parse().ok().filter(|_| self.kind().ends_with("char"))
    }

    /// Whether a table with rows can get it.
    pub fn can_be_added(&self) -> bool {
        !self.written.contains("NOT NULL") || self.written.contains("DEFAULT")
    }
}

/// A procedure.
pub(super) struct Procedure {
    pub name: String,
    /// From its BEGIN to its END.
    pub body: String,
    /// What drops it, then what makes it.
    pub sql: Vec<String>,
}

/// The queue, the pace, and how far members were looked through.
pub(super) fn tables(dialect: Dialect) -> Vec<Table> {
    read_tables(match dialect {
        Dialect::MySql => MYSQL_TABLES,
        Dialect::Sqlite => SQLITE_TABLES,
    })
}

/// The members of a CRM for trying it out, under this name.
pub(super) fn demo(dialect: Dialect, name: &str) -> Option<Table> {
    let text = match dialect {
        Dialect::MySql => MYSQL_DEMO,
        Dialect::Sqlite => SQLITE_DEMO,
    };
    let quoted = format!("CREATE TABLE IF NOT EXISTS {} (", quoted(dialect, name));
    let table = read_tables(text).pop()?;
    Some(Table {
        name: name.to_owned(),
        sql: table.sql.replacen("CREATE TABLE IF NOT EXISTS members (", &quoted, 1),
        ..table
    })
}

/// Those of MySQL; SQLite has none.
pub(super) fn procedures(dialect: Dialect) -> Vec<Procedure> {
    let text = if dialect == Dialect::MySql { MYSQL_PROCEDURES } else { "" };
    let all = statements(text);
    let pairs = all.as_chunks::<2>().0;
    let procedure = |[drop, make]: &[String; 2]| Procedure {
        name: drop.rsplit(' ').next().unwrap_or_default().to_owned(),
        body: make.find("\nBEGIN\n").map_or("", |at| &make[at + 1..]).to_owned(),
        sql: vec![drop.clone(), make.clone()],
    };
    pairs.iter().map(procedure).collect()
}

/// A name in SQL. None has a quote in it: the configuration refuses such.
pub(super) fn quoted(dialect: Dialect, name: &str) -> String {
    match dialect {
        Dialect::MySql => format!("`{name}`"),
        Dialect::Sqlite => format!("\"{name}\""),
    }
}

fn read_tables(text: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for sql in statements(text) {
        if let Some(name) = between(&sql, "CREATE TABLE IF NOT EXISTS ", " (") {
            let (columns, indexes) = inside(&name, &sql);
            tables.push(Table { name, columns, indexes, sql });
        } else if let (Some(table), Some(name)) = (tables.last_mut(), between(&sql, " IF NOT EXISTS ", " ON ")) {
            let columns = between(&sql, "(", ")").unwrap_or_default();
            let unique = sql.starts_with("CREATE UNIQUE");
            table.indexes.push(Index { name, unique, columns: by_commas(&columns), sql });
        }
    }
    tables
}

fn inside(table: &str, sql: &str) -> (Vec<Column>, Vec<Index>) {
    let (mut columns, mut indexes) = (Vec::new(), Vec::new());
    for line in sql.lines().skip(1).filter(|line| line.starts_with(' ')) {
        let line = line.split_once("-- ").map_or(line, |(code, _)| code).trim().trim_end_matches(',');
        let Some((word, rest)) = line.split_once(' ') else { continue };
        let unique = word == "UNIQUE";
        if unique || word == "KEY" {
            let name = between(line, "KEY ", " (").unwrap_or_default();
            let (list, kind) =
                (between(line, "(", ")").unwrap_or_default(), if unique { "UNIQUE INDEX" } else { "INDEX" });
            let sql = format!("CREATE {kind} {name} ON {table} ({list})");
            indexes.push(Index { name, unique, columns: by_commas(&list), sql });
        } else {
            let written = rest.split_whitespace().collect::<Vec<_>>().join(" ");
            columns.push(Column { name: word.to_owned(), written });
        }
    }
    (columns, indexes)
}

fn between(text: &str, begin: &str, end: &str) -> Option<String> {
    let (_, rest) = text.split_once(begin)?;
    rest.split_once(end).map(|(inside, _)| inside.to_owned())
}

fn by_commas(text: &str) -> Vec<String> {
    text.split(',').map(|part| part.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn both_databases_have_the_same_columns_and_indexes() {
        let names = |dialect| {
            let table = |table: Table| {
                let columns: Vec<String> = table.columns.into_iter().map(|column| column.name).collect();
                let indexes: Vec<_> = table.indexes.into_iter().map(|it| (it.name, it.unique, it.columns)).collect();
                (table.name, columns, indexes)
            };
            let demo =
                demo(dialect, "members").unwrap().columns.into_iter().map(|column| column.name).collect::<Vec<_>>();
            (tables(dialect).into_iter().map(table).collect::<Vec<_>>(), demo)
        };
        assert_eq!(names(Dialect::MySql), names(Dialect::Sqlite));
        let found = tables(Dialect::MySql);
        assert_eq!(found.len(), 3);
        let queue = &found[0];
        assert_eq!((queue.columns.len(), queue.indexes.len()), (25, 2));
        assert_eq!((queue.columns[3].kind().as_str(), queue.columns[3].letters()), ("varchar", Some(191)));
        assert!(!queue.columns[3].can_be_added() && queue.columns[8].can_be_added());
        assert_eq!(
            queue.indexes[0].sql,
            "CREATE UNIQUE INDEX uq_member_notification_queue_dedupe ON member_notification_queue (dedupe_key)"
        );
    }

    #[test]
    fn procedures_have_a_body() {
        let found = procedures(Dialect::MySql);
        let names: Vec<_> = found.iter().map(|procedure| procedure.name.as_str()).collect();
        assert_eq!(names, ["ProcessMemberNotificationQueue", "CleanupNotificationQueue"]);
        assert!(found.iter().all(|it| it.body.starts_with("BEGIN\n") && it.body.ends_with("\nEND")));
        assert!(procedures(Dialect::Sqlite).is_empty());
    }
}
