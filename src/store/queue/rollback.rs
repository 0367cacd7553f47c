//! Taking the queue out again, as `sql/*/queue/rollback.sql` does it: the triggers first, so that no registration meets
//! one without its table.

use super::super::Dialect;
use super::QueueDb;
use super::schema::{self, ON_INSERT, ON_UPDATE, QUEUE};
use crate::error::{Error, Result};
use crate::say;
use serde_json::{Map, Value, json};

/// Rows that are read at once.
const PAGE: i64 = 500;

/// What stands and would be taken out.
#[derive(Debug, Clone, Default)]
pub struct Remnant {
    /// Triggers, then tables, then procedures: (kind, name).
    pub objects: Vec<(&'static str, String)>,
    /// Rows that are pending or in hand.
    pub open: i64,
    /// Rows that are neither sent nor cancelled.
    pub untold: i64,
}

impl QueueDb {
    /// What stands of the queue. Refuses a table that another program made.
    pub async fn remnant(&self) -> Result<Remnant> {
        let mut found = Remnant::default();
        let triggers = self.standing_triggers().await?;
        for name in [ON_INSERT, ON_UPDATE] {
            if triggers.iter().any(|trigger| trigger.name == name) {
                found.objects.push(("trigger", name.to_owned()));
            }
        }
        for table in schema::tables(self.dialect()) {
            let Some(standing) = self.standing(&table.name).await? else { continue };
            let lacks: Vec<_> = standing
                .lacks(&table)
                .iter()
                .filter(|column| !column.can_be_added())
                .map(|it| it.name.clone())
                .collect();
            if !lacks.is_empty() {
                return Err(self.not_ours(&table.name, &lacks));
            }
            found.objects.push(("table", table.name));
        }
        if found.has(QUEUE) {
            let sql = format!("SELECT COUNT(*) FROM {QUEUE} WHERE status IN ('pending', 'processing')");
            found.open = self.row(&sql, vec![], |row| row.int(0)).await?.unwrap_or(0);
            found.untold = self.untold().await?;
        }
        for procedure in schema::procedures(self.dialect()) {
            if self.standing_procedure(&procedure.name).await?.is_some() {
                found.objects.push(("procedure", procedure.name));
            }
        }
        Ok(found)
    }

    /// Rows that are neither sent nor cancelled.
    pub async fn untold(&self) -> Result<i64> {
        let sql = format!("SELECT COUNT(*) FROM {QUEUE} WHERE status NOT IN ('sent', 'cancelled')");
        Ok(self.row(&sql, vec![], |row| row.int(0)).await?.unwrap_or(0))
    }

    /// Those beyond an id, a page of them in their order; each with its id.
    pub async fn untold_after(&self, id: i64) -> Result<Vec<(i64, Value)>> {
        let columns: Vec<String> = schema::tables(self.dialect())
            .into_iter()
            .find(|table| table.name == QUEUE)
            .map(|table| table.columns.into_iter().map(|column| column.name).collect())
            .unwrap_or_default();
        let text = |name: &String| match self.dialect() {
            Dialect::MySql => format!("CAST({name} AS CHAR)"),
            Dialect::Sqlite => format!("CAST({name} AS TEXT)"),
        };
        let list = columns.iter().map(text).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT id, {list} FROM {QUEUE} WHERE id > ? AND status NOT IN ('sent', 'cancelled') ORDER BY id LIMIT {PAGE}"
        );
        self.rows(&sql, vec![id.into()], |row| {
            let mut object = Map::new();
            for (at, name) in columns.iter().enumerate() {
                let value = row.opt_text(at + 1)?;
                let value = match (name.as_str(), value) {
                    ("payload", Some(text)) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
                    (_, value) => json!(value),
                };
                object.insert(name.clone(), value);
            }
            Ok((row.int(0)?, Value::Object(object)))
        })
        .await
    }

    /// Drops what is of this kind.
    pub async fn take_out(&self, remnant: &Remnant, kind: &str) -> Result<()> {
        let of_kind = remnant.objects.iter().filter(|(known, _)| *known == kind);
        let sql: Vec<String> =
            of_kind.map(|(kind, name)| format!("DROP {} IF EXISTS {name}", kind.to_uppercase())).collect();
        self.ddl(&sql).await.map_err(|(_, error)| error)
    }

    fn not_ours(&self, table: &str, lacks: &[String]) -> Error {
        let (place, lacks) = (self.place(), lacks.join(", "));
        Error::config(say!(
            "{table} in {place} was made by another program: it lacks {lacks}. Nothing was changed";
            "{place} 中的 {table} 由其他程序创建：缺少 {lacks}。未做任何改动"
        ))
        .next(say!("take it out by that program's own means"; "请用该程序自己的方式移除"))
    }
}

impl Remnant {
    /// Whether it is among what stands.
    pub fn has(&self, name: &str) -> bool {
        self.objects.iter().any(|(_, known)| known == name)
    }

    /// Its statements, in order, as the shell takes them.
    pub fn sql(&self) -> String {
        let all = self.objects.iter().map(|(kind, name)| format!("DROP {} IF EXISTS {name};\n", kind.to_uppercase()));
        all.collect()
    }
}
