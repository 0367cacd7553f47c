//! How an erasure is shown.

use crate::commands::{time_json, time_local};
use crate::erase::Place;
use crate::error::Lang;
use crate::report::escape;
use crate::say;
use crate::store::Erasure;
use serde_json::{Map, Value, json};

/// The erasure for programs; `receipt` is the text that `hash` is of, once every store has confirmed.
pub(super) fn json(row: &Erasure) -> Value {
    json!({
        "id": row.id.to_string(),
        "account": row.account,
        "openid": row.openid,
        "cause": row.cause,
        "note": row.note,
        "erased_to": time_json(row.erased_to.timestamp_millis()),
        "erased_at": time_json(row.erased_at.timestamp_millis()),
        "stores": stores(row),
        "pending": pending(row),
        "last_error": row.last_error,
        "seq": row.link.as_ref().map(|link| link.seq),
        "receipt": row.link.as_ref().map(|link| &link.receipt),
        "hash": row.link.as_ref().map(|link| &link.hash),
    })
}

fn stores(row: &Erasure) -> Map<String, Value> {
    serde_json::from_str(&row.stores).unwrap_or_default()
}

/// The stores that have not confirmed.
pub(super) fn pending(row: &Erasure) -> Vec<String> {
    stores(row).into_iter().filter(|(_, at)| at.is_null()).map(|(name, _)| name).collect()
}

/// A few lines: when, why, what each store said, the receipt.
pub(super) fn text(row: &Erasure, lang: Lang) -> String {
    let (cause, at) = (&row.cause, time_local(row.erased_at.timestamp_millis()));
    let mut lines = vec![say!("erased           {at} ({cause})"; "已清除           {at}（{cause}）")];
    if let Some(note) = &row.note {
        let note = escape(note);
        lines.push(say!("  reason         {note}"; "  原因           {note}"));
    }
    lines.push(say!("  database       {at}"; "  数据库         {at}"));
    for (name, confirmed) in stores(row) {
        let what = Place::named(&name).map_or_else(|| say!("{name}"; "{name}"), Place::what);
        let (en, zh) = (&what.en, &what.zh);
        match confirmed.as_str().and_then(|time| chrono::DateTime::parse_from_rfc3339(time).ok()) {
            Some(time) => {
                let time = time_local(time.timestamp_millis());
                lines.push(say!("  {name:<14} {time}: {en}"; "  {name:<14} {time}：{zh}"));
            }
            None => lines.push(say!("  {name:<14} pending: {en}"; "  {name:<14} 待确认：{zh}")),
        }
    }
    if let Some(error) = &row.last_error {
        let error = escape(error);
        lines.push(say!("  last error     {error}"; "  最近错误       {error}"));
    }
    match &row.link {
        Some(link) => {
            let (seq, hash) = (link.seq, &link.hash);
            lines.push(say!("  receipt        {seq} {hash}"; "  回执           {seq} {hash}"));
        }
        None => lines.push(say!(
            "  receipt        follows once every store has confirmed; a running serve sees to it";
            "  回执           待所有存储确认后生成，由运行中的 serve 完成"
        )),
    }
    lines.iter().map(|line| line.in_lang(lang).to_owned()).collect::<Vec<_>>().join("\n")
}
