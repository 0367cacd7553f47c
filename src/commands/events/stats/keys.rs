//! `--by key`: which menu buttons are pressed. The keys are read from the messages as they are asked for: so a press
//! costs a callback nothing, and what is erased is gone; how many these are is still told.

use crate::domain::event::Kind;
use crate::error::{Lang, Result};
use crate::report::table;
use crate::store::Store;
use crate::wire::push;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Messages read together.
const ROWS: i64 = 1_000;
/// Different keys that are told apart; a menu has fifteen.
const KEYS: usize = 10_000;
/// Rows of the table for people.
const SHOWN: usize = 100;

/// A key and how often it was pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyRow {
    kind: String,
    /// `None`: the message is erased, or has no key, or there were too many keys before it.
    key: Option<String>,
    events: i64,
}

/// Counts the presses of every button since a moment, the most pressed first.
pub(super) async fn keys(store: &Store, account: Option<&str>, since: DateTime<Utc>) -> Result<Vec<KeyRow>> {
    let mut counts: HashMap<(Kind, Option<String>), i64> = HashMap::new();
    let mut after = store.inbox_id_since(since).await? - 1;
    loop {
        let page = store.menu_events(account, since, after, ROWS).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for row in page {
            let key = row.raw.as_deref().and_then(key_of);
            let known = counts.len() < KEYS || counts.contains_key(&(row.kind, key.clone()));
            *counts.entry((row.kind, key.filter(|_| known))).or_default() += 1;
        }
    }
    let rows = counts.into_iter().map(|((kind, key), events)| KeyRow { kind: kind.as_str().to_owned(), key, events });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by(|one, other| {
        other.events.cmp(&one.events).then_with(|| (&one.kind, &one.key).cmp(&(&other.kind, &other.key)))
    });
    Ok(rows)
}

/// EventKey as it came: the key of a button, or the address that a VIEW button has.
fn key_of(raw: &str) -> Option<String> {
    let event = push::read(raw).ok()?;
    event.root.text_of("EventKey").filter(|key| !key.is_empty()).map(str::to_owned)
}

/// As JSON; `key` is null where it is not known.
pub(super) fn json_of(rows: &[KeyRow]) -> Vec<Value> {
    rows.iter().map(|row| json!({ "key": row.key, "kind": row.kind, "events": row.events })).collect()
}

/// As a table for people; of very many keys the most pressed.
pub(super) fn table_of(rows: &[KeyRow], lang: Lang) -> String {
    let head = match lang {
        Lang::En => ["KEY", "KIND", "EVENTS"],
        Lang::Zh => ["KEY", "类型", "事件数"],
    };
    let cells = |row: &KeyRow| {
        let key = row.key.clone().unwrap_or_else(|| "-".to_owned());
        vec![key, row.kind.clone(), row.events.to_string()]
    };
    let mut shown: Vec<Vec<String>> = rows.iter().take(SHOWN).map(cells).collect();
    if rows.len() > SHOWN {
        shown.push(vec!["…".to_owned(), String::new(), String::new()]);
    }
    table(&head, &shown)
}
