//! The triggers that make the rows of the queue. One statement a row and nothing else: what fails in a trigger makes the
//! registration itself fail, and what takes long there makes it wait.

use super::super::Dialect;
use super::columns::Members;
use super::schema::{ON_INSERT, ON_UPDATE, QUEUE, quoted};
use crate::domain::notice::{Kind, Source};
use crate::error::{Error, Result};
use crate::say;
use std::fmt;

/// Letters of a user and of a host in MySQL and MariaDB.
const USER: usize = 80;
const HOST: usize = 255;

/// The account that a trigger runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definer {
    user: String,
    host: String,
}

impl Definer {
    /// `USER@HOST`; exit 2 where it is none.
    pub fn parse(text: &str) -> Result<Definer> {
        let bare = |part: &str| part.trim_matches(['\'', '`', '"']).to_owned();
        let (user, host) = text.rsplit_once('@').unwrap_or((text, "%"));
        let (user, host) = (bare(user), bare(host));
        let fits = |part: &str, most: usize| {
            (1..=most).contains(&part.chars().count())
                && !part.contains(['\'', '`', '"', '\\', '@', ';'])
                && !part.contains(char::is_control)
        };
        match fits(&user, USER) && fits(&host, HOST) {
            true => Ok(Definer { user, host }),
            false => Err(Error::usage(say!("{text:?} is no USER@HOST"; "{text:?} 不是 USER@HOST"))
                .next(say!("such as --definer crm@localhost"; "例如 --definer crm@localhost"))),
        }
    }

    /// As the catalogue has it.
    pub fn catalogue(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }
}

impl fmt::Display for Definer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'@'{}'", self.user, self.host)
    }
}

/// A trigger as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trigger {
    pub name: &'static str,
    /// INSERT, UPDATE
    pub event: &'static str,
    table: String,
    /// What it does.
    pub body: String,
}

impl Trigger {
    /// What makes it; `verb` is CREATE or CREATE OR REPLACE.
    pub fn sql(&self, dialect: Dialect, verb: &str, definer: Option<&Definer>) -> String {
        let definer = definer.map_or_else(String::new, |definer| format!(" DEFINER={definer}"));
        let (name, event, table, body) = (self.name, self.event, quoted(dialect, &self.table), &self.body);
        format!("{verb}{definer} TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW\n{body}")
    }
}

/// The triggers that a source asks for.
pub(super) fn triggers(dialect: Dialect, source: &Source, members: &Members) -> Vec<Trigger> {
    let mut all = Vec::new();
    let mut push = |name, event, statements: Vec<String>| {
        let body = match (dialect, statements.as_slice()) {
            (Dialect::MySql, [only]) if !only.starts_with("IF ") => only.trim_end_matches(';').to_owned(),
            _ => {
                let inside: Vec<_> = statements.iter().map(|one| indented(one)).collect();
                format!("BEGIN\n{}\nEND", inside.join("\n"))
            }
        };
        all.push(Trigger { name, event, table: source.table.clone(), body });
    };
    if source.tells(Kind::New) {
        push(ON_INSERT, "INSERT", vec![insert(dialect, source, members, Kind::New, None)]);
    }
    let on_update = |kind: &Kind| *kind != Kind::New && !watched(source, *kind).is_empty();
    let told: Vec<Kind> = source.kinds.iter().copied().filter(on_update).collect();
    if !told.is_empty() {
        let one = |kind: &Kind| {
            let differs = differs(dialect, members, &watched(source, *kind));
            insert(dialect, source, members, *kind, Some(&differs))
        };
        push(ON_UPDATE, "UPDATE", told.iter().map(one).collect());
    }
    all
}

/// The columns whose change is told of as this kind.
fn watched(source: &Source, kind: Kind) -> Vec<&str> {
    match kind {
        Kind::New => Vec::new(),
        Kind::Changed => source.changed.iter().map(String::as_str).collect(),
        Kind::Status => vec![&source.status],
    }
}

/// Whether one of them is another now; NULL is a value like others here.
fn differs(dialect: Dialect, members: &Members, columns: &[&str]) -> String {
    let known = columns.iter().filter_map(|name| members.column(name));
    let same = known.map(|column| {
        let same = if dialect == Dialect::MySql { "<=>" } else { "IS" };
        format!("{} {same} {}", column.exact(dialect, "OLD"), column.exact(dialect, "NEW"))
    });
    format!("NOT ({})", same.collect::<Vec<_>>().join("\n    AND "))
}

const COLUMNS: &str =
    "member_id, notification_type, dedupe_key, payload, max_attempts, available_at, created_at, updated_at";

/// One row of the queue. `differs`: only where this is so.
fn insert(dialect: Dialect, source: &Source, members: &Members, kind: Kind, differs: Option<&str>) -> String {
    let [id, kind, key, payload] = values(dialect, source, members, kind, "NEW");
    let (payload, now) = (indented(&payload), now(dialect));
    let row = format!("    {id}, {kind}, {key},\n{payload},\n    {}, {now}", source.max_attempts);
    match (dialect, differs) {
        (Dialect::MySql, None) => format!("INSERT IGNORE INTO {QUEUE}\n    ({COLUMNS})\nVALUES (\n{row}\n);"),
        (Dialect::MySql, Some(differs)) => {
            let insert = format!("INSERT IGNORE INTO {QUEUE}\n    ({COLUMNS})\nVALUES (\n{row}\n);");
            format!("IF {differs} THEN\n{}\nEND IF;", indented(&insert))
        }
        // ON CONFLICT and not OR IGNORE, which an INSERT OR REPLACE of the member would override.
        (Dialect::Sqlite, None) => {
            format!("INSERT INTO {QUEUE}\n    ({COLUMNS})\nVALUES (\n{row}\n)\nON CONFLICT (dedupe_key) DO NOTHING;")
        }
        (Dialect::Sqlite, Some(differs)) => format!(
            "INSERT INTO {QUEUE}\n    ({COLUMNS})\nSELECT\n{row}\nWHERE {differs}\nON CONFLICT (dedupe_key) DO NOTHING;"
        ),
    }
}

/// id, kind, dedupe_key and payload of a row of the queue; `row` names the member.
pub(super) fn values(dialect: Dialect, source: &Source, members: &Members, kind: Kind, row: &str) -> [String; 4] {
    let id = format!("{row}.{}", quoted(dialect, members.column(&source.id).map_or(&source.id, |column| &column.name)));
    let word = kind.as_str();
    // A change may come again: its key counts. Nothing is read for it.
    let key = match (dialect, kind) {
        (Dialect::MySql, Kind::New) => format!("CONCAT('{word}:', {id})"),
        (Dialect::MySql, _) => format!("CONCAT('{word}:', {id}, ':', UUID_SHORT())"),
        (Dialect::Sqlite, Kind::New) => format!("'{word}:' || {id}"),
        (Dialect::Sqlite, _) => format!("'{word}:' || {id} || ':' || lower(hex(randomblob(8)))"),
    };
    let told = source.fields.iter().filter_map(|field| Some((field, members.column(field)?)));
    let fields = told.map(|(field, column)| format!("    '{field}', {}", column.value(dialect, row)));
    let object = if dialect == Dialect::MySql { "JSON_OBJECT" } else { "json_object" };
    let payload = format!("{object}(\n{}\n)", fields.collect::<Vec<_>>().join(",\n"));
    [id, format!("'{word}'"), key, payload]
}

/// Now, for available_at, created_at and updated_at: in UTC whatever the clock of the session that writes. The SQLite of
/// another program may be older than ours.
fn now(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::MySql => "UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)",
        Dialect::Sqlite => {
            "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER),\n    \
             strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
        }
    }
}

/// What brings members beyond an id into the queue that no trigger saw: one statement, the id and how many its arguments.
pub(super) fn catch_up(dialect: Dialect, source: &Source, members: &Members) -> String {
    let [id, kind, key, payload] = values(dialect, source, members, Kind::New, "m");
    let (table, attempts, now) = (quoted(dialect, &source.table), source.max_attempts, now(dialect));
    let (verb, conflict) = match dialect {
        Dialect::MySql => ("INSERT IGNORE INTO", ""),
        Dialect::Sqlite => ("INSERT INTO", " ON CONFLICT (dedupe_key) DO NOTHING"),
    };
    format!(
        "{verb} {QUEUE} ({COLUMNS}) SELECT {id}, {kind}, {key}, {payload}, {attempts}, {now} FROM {table} m \
         WHERE {id} > ? AND {id} <= ? AND NOT EXISTS (SELECT 1 FROM {QUEUE} q WHERE q.dedupe_key = {key}){conflict}"
    )
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::schema::demo;
    use super::super::script::statements;
    use super::*;

    fn seeds() -> Source {
        let fields = "member_no nickname wechat phone type gender status remaining_matches created_at";
        let fields: Vec<String> = fields.split(' ').map(str::to_owned).collect();
        Source {
            table: "members".into(),
            id: "id".into(),
            kinds: Kind::ALL.to_vec(),
            changed: fields.iter().filter(|field| *field != "status").cloned().collect(),
            fields,
            status: "status".into(),
            max_attempts: 3,
        }
    }

    /// The files that people read and run are what the program makes of the same columns.
    #[test]
    fn the_files_are_what_is_made() {
        for (dialect, files) in [
            (
                Dialect::MySql,
                [
                    include_str!("../../../sql/mysql/queue/3_trigger.sql"),
                    include_str!("../../../sql/mysql/queue/4_changes.sql"),
                ],
            ),
            (
                Dialect::Sqlite,
                [
                    include_str!("../../../sql/sqlite/queue/3_trigger.sql"),
                    include_str!("../../../sql/sqlite/queue/4_changes.sql"),
                ],
            ),
        ] {
            let members = Members::of(&demo(dialect, "members").unwrap());
            let made = triggers(dialect, &seeds(), &members);
            let made: Vec<_> = made.iter().map(|trigger| trigger.sql(dialect, "CREATE", None)).collect();
            let written: Vec<_> = files.iter().flat_map(|file| statements(file)).collect();
            assert_eq!(made, written, "{dialect:?}");
        }
    }

    #[test]
    fn only_what_is_told_of_is_watched() {
        let members = Members::of(&demo(Dialect::MySql, "members").unwrap());
        let of = |kinds: &[Kind]| triggers(Dialect::MySql, &Source { kinds: kinds.to_vec(), ..seeds() }, &members);
        assert_eq!(of(&[Kind::New]).len(), 1);
        let status = of(&[Kind::Status]);
        assert_eq!((status.len(), status[0].event), (1, "UPDATE"));
        assert!(!status[0].body.contains("member_changed") && !status[0].body.contains("OLD.`phone`"));
    }

    #[test]
    fn a_definer_is_a_user_at_a_host() {
        let shown = |text| Definer::parse(text).map(|definer| (definer.to_string(), definer.catalogue()));
        assert_eq!(shown("crm@localhost").unwrap(), ("'crm'@'localhost'".to_owned(), "crm@localhost".to_owned()));
        assert_eq!(shown("'crm'@'10.0.0.%'").unwrap().0, "'crm'@'10.0.0.%'");
        assert_eq!(shown("crm").unwrap().1, "crm@%");
        for wrong in ["", "@", "a'b@c", "a@b; DROP TABLE c", "a\\@b", "@localhost"] {
            assert!(Definer::parse(wrong).is_err(), "{wrong}");
        }
    }
}
