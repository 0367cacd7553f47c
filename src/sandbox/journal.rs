//! What was called: the last calls in a bounded ring, and counts of all.

use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

/// Calls kept in full.
const KEEP: usize = 10_000;
/// A body longer than this is not kept.
const BODY_LIMIT: usize = 512;
/// Names whose values are never kept.
const SECRETS: &[&str] = &["access_token", "secret", "appsecret", "corpsecret", "refresh_token"];
/// The same in a query only: a group robot's key. In a body a key may be a menu's.
const QUERY_SECRET: &str = "key";
/// Paths counted apart; more than this and the rest are counted together.
const PATHS: usize = 500;

/// One call, without its secrets.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Serial number from 1.
    pub n: u64,
    /// Arrival by the machine's clock, RFC 3339.
    pub at: String,
    /// The same, ms since 1970.
    pub at_ms: i64,
    /// The sandbox's clock at arrival, seconds since 1970.
    pub clock: i64,
    /// Name of the account that the token or appid belongs to.
    pub account: Option<String>,
    /// Its AppID.
    pub appid: Option<String>,
    /// GET or POST.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, secrets masked.
    pub query: BTreeMap<String, String>,
    /// A short JSON body, secrets masked.
    pub body: Option<Value>,
    /// HTTP status answered; 0 where the connection was broken off.
    pub status: u16,
    /// The code answered, 0 for success; absent where the answer was none of the platform's.
    pub errcode: Option<i64>,
    /// The fault that struck.
    pub fault: Option<String>,
    /// How long the answer took.
    pub ms: u64,
}

/// Sums over all calls.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    /// Calls.
    pub calls: u64,
    /// Calls by path, and within by errcode (`broken` where there was none).
    pub by_path: BTreeMap<String, BTreeMap<String, u64>>,
    /// Calls that are no longer in the ring.
    pub dropped: u64,
}

/// The ring and the sums.
#[derive(Debug, Default)]
pub struct Journal {
    ring: VecDeque<Entry>,
    counts: Counts,
}

impl Journal {
    /// Writes a call down and numbers it.
    pub fn write(&mut self, mut entry: Entry) {
        self.counts.calls += 1;
        entry.n = self.counts.calls;
        let known = self.counts.by_path.contains_key(&entry.path) || self.counts.by_path.len() < PATHS;
        let path = if known { entry.path.clone() } else { "(others)".to_owned() };
        let code = entry.errcode.map_or("broken".to_owned(), |code| code.to_string());
        *self.counts.by_path.entry(path).or_default().entry(code).or_insert(0) += 1;
        if self.ring.len() == KEEP {
            self.ring.pop_front();
            self.counts.dropped += 1;
        }
        self.ring.push_back(entry);
    }

    /// The sums.
    pub fn counts(&self) -> Counts {
        self.counts.clone()
    }

    /// The calls after number `after`, on `path` where given, one JSON object a line.
    pub fn ndjson(&self, after: u64, path: Option<&str>) -> String {
        self.ring
            .iter()
            .filter(|entry| entry.n > after && path.is_none_or(|only| entry.path == only))
            .filter_map(|entry| serde_json::to_string(entry).ok())
            .fold(String::new(), |text, line| text + &line + "\n")
    }
}

/// The query without its secrets.
pub fn masked_query(query: &[(String, String)]) -> BTreeMap<String, String> {
    let mask = |(name, value): &(String, String)| {
        let hidden = name == QUERY_SECRET || SECRETS.contains(&name.as_str());
        (name.clone(), if hidden { "***".to_owned() } else { value.clone() })
    };
    query.iter().map(mask).collect()
}

/// A short JSON body without its secrets.
pub fn masked_body(body: &[u8]) -> Option<Value> {
    if body.is_empty() || body.len() > BODY_LIMIT {
        return None;
    }
    let mut value: Value = serde_json::from_slice(body).ok()?;
    hide(&mut value);
    Some(value)
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if SECRETS.contains(&name.as_str()) {
                    *field = Value::from("***");
                } else {
                    hide(field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}
