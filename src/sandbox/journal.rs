//! What was called: the last calls in a bounded ring, and counts of all.

use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};

/// Calls kept in full.
const KEEP: usize = 10_000;
/// A body longer than this is not kept as it is.
const BODY_LIMIT: usize = 512;
/// Names whose values are never kept.
const SECRETS: &[&str] = &["access_token", "secret", "appsecret", "corpsecret", "refresh_token"];
/// The same in a query only: a group robot's key. In a body a key may be a menu's.
const QUERY_SECRET: &str = "key";
/// The name of an openid in a user_list.
const OPENID: &str = "\"openid\"";
/// Letters of an openid that are kept.
const OPENID_LETTERS: usize = 64;
/// What the paths are called that are not counted apart.
const OTHERS: &str = "(others)";
/// Paths counted apart; more than this and the rest are counted together.
const PATHS: usize = 500;

/// One call as it is kept. What is secret in it is masked when it is shown: most calls never are.
#[derive(Debug)]
pub struct Entry {
    /// Arrival by the machine's clock, ms since 1970.
    pub at_ms: i64,
    /// The sandbox's clock at arrival, seconds since 1970.
    pub clock: i64,
    /// Name and AppID of the account that the token or appid belongs to.
    pub account: Option<(String, String)>,
    /// GET or POST.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, in order.
    pub queries: Vec<(String, String)>,
    /// The body.
    pub body: Kept,
    /// HTTP status answered; 0 where the connection was broken off.
    pub status: u16,
    /// The code answered, 0 for success; absent where the answer was none of the platform's.
    pub errcode: Option<i64>,
    /// The fault that struck.
    pub fault: Option<String>,
    /// How long the answer took.
    pub ms: u64,
}

/// What is kept of a body.
#[derive(Debug)]
pub enum Kept {
    /// All of a short one.
    Short(Box<[u8]>),
    /// Of a long list of openids: how many, and the first.
    Openids(usize, String),
    /// Nothing.
    Nothing,
}

impl Kept {
    /// Keeps what is short of a body.
    pub fn of(body: &[u8]) -> Self {
        match body.len() {
            0 => Kept::Nothing,
            short if short <= BODY_LIMIT => Kept::Short(body.into()),
            _ => openids(body).unwrap_or(Kept::Nothing),
        }
    }

    /// As it is shown: a JSON body without its secrets.
    fn shown(&self) -> Option<Value> {
        match self {
            Kept::Short(body) => {
                let mut value: Value = serde_json::from_slice(body).ok()?;
                hide(&mut value);
                Some(value)
            }
            Kept::Openids(count, first) => Some(json!({ "openids": count, "first": first })),
            Kept::Nothing => None,
        }
    }
}

/// Counts the openids of a user_list without reading it: this is done for each call.
fn openids(body: &[u8]) -> Option<Kept> {
    let text = std::str::from_utf8(body).ok()?;
    let first = text.split_once(OPENID)?.1.split('"').nth(1)?;
    Some(Kept::Openids(text.matches(OPENID).count(), first.chars().take(OPENID_LETTERS).collect()))
}

/// One call as GET /sandbox/requests shows it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    n: u64,
    at: String,
    at_ms: i64,
    clock: i64,
    account: Option<&'a str>,
    appid: Option<&'a str>,
    method: &'a str,
    path: &'a str,
    query: BTreeMap<&'a str, &'a str>,
    body: Option<Value>,
    status: u16,
    errcode: Option<i64>,
    fault: Option<&'a str>,
    ms: u64,
}

impl Entry {
    fn shown(&self, n: u64) -> Shown<'_> {
        let at = chrono::DateTime::from_timestamp_millis(self.at_ms).unwrap_or_default();
        let (account, appid) = self.account.as_ref().map(|(name, id)| (name.as_str(), id.as_str())).unzip();
        Shown {
            n,
            at: at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            at_ms: self.at_ms,
            clock: self.clock,
            account,
            appid,
            method: &self.method,
            path: &self.path,
            query: masked_query(&self.queries),
            body: self.body.shown(),
            status: self.status,
            errcode: self.errcode,
            fault: self.fault.as_deref(),
            ms: self.ms,
        }
    }
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
    /// Writes a call down. The calls are numbered from 1.
    pub fn write(&mut self, entry: Entry) {
        self.counts.calls += 1;
        self.counts.add(&entry);
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
        let numbered = (self.counts.dropped + 1..).zip(&self.ring);
        numbered
            .filter(|(n, entry)| *n > after && path.is_none_or(|only| entry.path == only))
            .filter_map(|(n, entry)| serde_json::to_string(&entry.shown(n)).ok())
            .fold(String::new(), |text, line| text + &line + "\n")
    }
}

impl Counts {
    fn add(&mut self, entry: &Entry) {
        if !self.by_path.contains_key(&entry.path) {
            let path = if self.by_path.len() < PATHS { &entry.path } else { OTHERS };
            self.by_path.entry(path.to_owned()).or_default();
        }
        let codes = match self.by_path.contains_key(&entry.path) {
            true => self.by_path.get_mut(&entry.path),
            false => self.by_path.get_mut(OTHERS),
        };
        if let Some(codes) = codes {
            let code = entry.errcode.map_or("broken".to_owned(), |code| code.to_string());
            *codes.entry(code).or_insert(0) += 1;
        }
    }
}

/// The query without its secrets.
fn masked_query(queries: &[(String, String)]) -> BTreeMap<&str, &str> {
    let secret = |name: &str| name == QUERY_SECRET || SECRETS.contains(&name);
    let pairs = queries.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    pairs.map(|(name, value)| (name, if secret(name) { "***" } else { value })).collect()
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
