//! The requests behind the rids of recent errors, in bounded memory (reference 8, openapi/rid/get).

use super::errcode::{Refusal, refuse};
use serde::Serialize;
use std::collections::VecDeque;

/// Requests that are kept.
const KEEP: usize = 1000;
/// Letters of a query or a body that are kept.
const TEXT: usize = 2048;
/// Letters of an access_token that the platform shows.
const TOKEN: usize = 6;
/// How long a rid is answered, seconds.
const LIFE: i64 = 7 * 24 * 3600;

/// A request as openapi/rid/get shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Request {
    /// Seconds since 1970.
    pub invoke_time: i64,
    /// How long it took.
    pub cost_in_ms: u64,
    /// The query.
    pub request_url: String,
    /// The body.
    pub request_body: String,
    /// The answer.
    pub response_body: String,
    /// Who called.
    pub client_ip: String,
}

/// The last requests that were refused, oldest first.
#[derive(Debug, Default)]
pub struct Rids(VecDeque<(String, String, Request)>);

impl Rids {
    /// Remembers a request of an account under its rid; the oldest gives way.
    pub fn keep(&mut self, rid: &str, app_id: &str, request: Request) {
        if self.0.len() == KEEP {
            self.0.pop_front();
        }
        self.0.push_back((rid.to_owned(), app_id.to_owned(), request));
    }

    /// What stands behind a rid, for the account whose error it was and for 7 days.
    pub fn find(&self, rid: &str, app_id: &str, now: i64) -> Result<&Request, Refusal> {
        if !is_rid(rid) {
            return refuse(76002);
        }
        let Some((_, owner, request)) = self.0.iter().rev().find(|(known, ..)| known == rid) else {
            return refuse(76001);
        };
        match (owner == app_id, now - request.invoke_time > LIFE) {
            (false, _) => refuse(76003),
            (_, true) => refuse(76004),
            _ => Ok(request),
        }
    }
}

/// The query of a call as the platform shows it: of the access_token its first letters.
pub fn query(pairs: &[(String, String)]) -> String {
    let shown = |(name, value): &(String, String)| match name.as_str() {
        "access_token" => format!("{name}={}xxxx", value.chars().take(TOKEN).collect::<String>()),
        _ => format!("{name}={value}"),
    };
    short(&pairs.iter().map(shown).collect::<Vec<_>>().join("&"))
}

/// The beginning of a text.
pub fn short(text: &str) -> String {
    text.chars().take(TEXT).collect()
}

/// Three numbers of eight hexadecimal digits.
fn is_rid(rid: &str) -> bool {
    let parts: Vec<&str> = rid.split('-').collect();
    parts.len() == 3 && parts.iter().all(|part| part.len() == 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
