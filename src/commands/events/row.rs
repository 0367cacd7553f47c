//! An event as a row, and what narrows a list of them.

use crate::commands::{Since, account_filter, time_json, time_local};
use crate::config::Config;
use crate::error::Result;
use crate::report::{Column, Row};
use crate::store::{InboxFilter, InboxRow};
use serde_json::{Value, json};

/// What narrows `list` and `tail`.
#[derive(Debug, clap::Args)]
pub(super) struct Narrow {
    /// Only events in this state
    #[arg(long, value_parser = ["new", "done", "dead"])]
    state: Option<String>,
    /// Only this kind, such as event.subscribe or message.text
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only this person
    #[arg(long, value_name = "OPENID", allow_hyphen_values = true)]
    openid: Option<String>,
    /// Only what came since: 2h, 3d, 2026-11-01 or RFC 3339
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<Since>,
}

impl Narrow {
    pub(super) fn filter(&self, config: &Config, now_ms: i64) -> Result<InboxFilter> {
        Ok(InboxFilter {
            account: account_filter(config)?,
            state: self.state.clone(),
            kind: self.kind.clone(),
            openid: self.openid.clone(),
            since: self.since.map(|since| since.at(now_ms)),
            ..InboxFilter::default()
        })
    }
}

pub(super) const COLUMNS: &[Column] = &[
    Column("ID", "编号"),
    Column("RECEIVED", "收到时间"),
    Column("ACCOUNT", "账号"),
    Column("KIND", "类型"),
    Column("OPENID", "OPENID"),
    Column("STATE", "状态"),
    Column("TRIES", "次数"),
    Column("ERROR", "错误"),
];

/// The event for programs; `raw` only where one event is asked for.
pub(super) fn json(row: &InboxRow, raw: bool) -> Value {
    let mut value = json!({
        "id": row.id.to_string(),
        "account": row.account,
        "platform": row.platform,
        "kind": row.kind,
        "openid": row.openid,
        "state": row.state,
        "attempts": row.attempts,
        "due_at": (row.state == "new").then(|| time_json(row.due_at)),
        "last_error": row.last_error,
        "event_time": time_json(row.event_time.timestamp_millis()),
        "received_at": time_json(row.received_at.timestamp_millis()),
    });
    if raw {
        value["raw"] = json!(row.raw);
    }
    value
}

impl Row for InboxRow {
    fn json(&self) -> Value {
        json(self, false)
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            time_local(self.received_at.timestamp_millis()),
            self.account.clone(),
            self.kind.clone(),
            self.openid.clone(),
            self.state.clone(),
            self.attempts.to_string(),
            self.last_error.clone().unwrap_or_default(),
        ]
    }
}
