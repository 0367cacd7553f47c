//! A row of the queue, as it is shown.

use crate::commands::{time_json, time_local};
use crate::report::{Column, Row};
use crate::store::queue::NoticeRow;
use serde_json::{Value, json};

pub(super) const COLUMNS: &[Column] = &[
    Column("ID", "编号"),
    Column("CREATED", "创建"),
    Column("KIND", "类型"),
    Column("MEMBER", "会员"),
    Column("STATE", "状态"),
    Column("ATTEMPTS", "尝试"),
    Column("SUSPECT", "可疑"),
    Column("DUE", "到期"),
    Column("ERROR", "错误"),
];

pub(super) fn json(row: &NoticeRow) -> Value {
    let recipients: Value =
        row.recipients.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    json!({
        "id": row.id.to_string(),
        "member_id": row.member_id.to_string(),
        "notification_type": row.kind,
        "status": row.state,
        "attempts": row.attempts.0,
        "max_attempts": row.attempts.1,
        "claims": row.claims,
        "channel": row.channel,
        "recipients": recipients["now"],
        "recipients_later": recipients["later"],
        "digest_id": row.digest_id.map(|id| id.to_string()),
        "suspect": row.suspect,
        "available_at": time_json(row.available_ms),
        "locked_by": row.held.as_ref().map(|(who, _)| who),
        "locked_until": row.held.as_ref().map(|(_, until)| time_json(*until)),
        "last_error_code": row.error_code,
        "last_error": row.error,
        "wecom_msgid": row.msgid,
        "created_at": time_json(row.created_ms),
        "processed_at": row.processed_ms.map(time_json),
    })
}

impl Row for NoticeRow {
    fn json(&self) -> Value {
        json(self)
    }

    fn cells(&self) -> Vec<String> {
        let waits = matches!(self.state.as_str(), "pending" | "processing");
        vec![
            self.id.to_string(),
            time_local(self.created_ms),
            self.kind.clone(),
            self.member_id.to_string(),
            self.state.clone(),
            format!("{}/{}", self.attempts.0, self.attempts.1),
            if self.suspect { "!".to_owned() } else { String::new() },
            if waits { time_local(self.available_ms) } else { String::new() },
            self.error.clone().unwrap_or_default(),
        ]
    }
}
