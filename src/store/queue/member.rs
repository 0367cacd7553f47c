//! One member as a notification would tell of them: the same columns, read by the same words as the trigger has.

use super::super::Dialect;
use super::QueueDb;
use super::schema::quoted;
use super::trigger::values;
use crate::domain::notice::{Kind, Source};
use crate::error::{Error, Result};
use crate::say;
use serde_json::{Map, Value};

impl QueueDb {
    /// The payload that the trigger would make of this member now; `None` where there is no such member. Reads only.
    pub async fn member(&self, source: &Source, id: i64) -> Result<Option<Map<String, Value>>> {
        let Some(members) = self.members(&source.table).await? else { return Err(self.no_members(&source.table)) };
        members.check(source, self.place())?;
        let [key, _, _, payload] = values(self.dialect(), source, &members, Kind::New, "m");
        let payload = match self.dialect() {
            Dialect::MySql => format!("CAST({payload} AS CHAR)"),
            Dialect::Sqlite => payload,
        };
        let table = quoted(self.dialect(), &source.table);
        let sql = format!("SELECT {payload} FROM {table} m WHERE {key} = ?");
        let Some(text) = self.row(&sql, vec![id.into()], |row| row.text(0)).await? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| {
            Error::failed(say!("the member is no JSON object: {error}"; "会员数据不是 JSON 对象：{error}"))
        })
    }
}
