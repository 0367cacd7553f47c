//! What became of an event at a hook.

use crate::commands::{time_json, time_local};
use crate::error::{Lang, Text};
use crate::report::escape;
use crate::say;
use crate::store::DeliveryRow;
use serde_json::{Value, json};

/// For programs.
pub fn json(row: &DeliveryRow) -> Value {
    json!({
        "id": row.id.to_string(),
        "hook": row.hook,
        "event": row.event_id.map(|id| id.to_string()),
        "account": row.account,
        "kind": kind(row),
        "state": row.state,
        "attempts": row.attempts,
        "due_at": (row.state == "pending").then(|| time_json(row.due_at)),
        "last_error": row.last_error,
        "created_at": time_json(row.created_at.timestamp_millis()),
        "ended_at": row.ended_at.map(|at| time_json(at.timestamp_millis())),
    })
}

/// The event's kind, or that its person was erased.
pub fn kind(row: &DeliveryRow) -> Option<&str> {
    match row.event_id {
        None => Some(crate::domain::hook::PERSON_ERASED),
        Some(_) => row.kind.as_deref(),
    }
}

/// For people, a line.
pub fn line(row: &DeliveryRow, lang: Lang) -> String {
    let (hook, tries) = (&row.hook, row.attempts);
    let state = state(&row.state);
    let (en, zh) = (state.en, state.zh);
    let word = if tries == 1 { "try" } else { "tries" };
    let text = match row.ended_at.map(|at| time_local(at.timestamp_millis())) {
        Some(at) => say!("hook      {hook}: {en}, {tries} {word}, {at}"; "hook    {hook}：{zh}，{tries} 次，{at}"),
        None => {
            let due = time_local(row.due_at);
            say!("hook      {hook}: {en}, {tries} {word}, due {due}"; "hook    {hook}：{zh}，{tries} 次，预定 {due}")
        }
    };
    let error = row.last_error.as_deref().map(|error| format!(" ({})", escape(error)));
    format!("{}{}", text.in_lang(lang), error.unwrap_or_default())
}

fn state(state: &str) -> Text {
    match state {
        "pending" => say!("pending"; "待投递"),
        "sending" => say!("being sent"; "投递中"),
        "delivered" => say!("delivered"; "已投递"),
        "failed" => say!("failed"; "失败"),
        "unknown" => say!("outcome unknown"; "结果未知"),
        "erased" => say!("not sent, the person is erased"; "未投递，用户数据已清除"),
        "gone" => say!("gone"; "接收方已不存在"),
        other => say!("{other}"; "{other}"),
    }
}
