//! What the platform remembers of a call that it refused (reference 8). Tokens and secrets are masked at this door:
//! the answer holds parts of a token, and bodies as they were sent.

use crate::domain::account::Access;
use crate::domain::veil::Veil;
use crate::error::Result;
use crate::platform::http::{Client, Request, Tokens, unreadable};
use serde::Serialize;
use serde_json::{Map, Value};
use std::net::IpAddr;

/// Letters of a text that are kept.
const LONGEST: usize = 4000;

/// Parts of a name whose value is never shown.
const HIDDEN: [&str; 5] = ["token", "secret", "ticket", "session_key", "password"];

/// A call as the platform saw it, without tokens and secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When it came, seconds since 1970.
    pub invoke_time: i64,
    /// How long it took, milliseconds.
    pub cost_in_ms: Option<i64>,
    /// The query of its URL.
    pub request_url: String,
    /// Its body.
    pub request_body: String,
    /// What was answered.
    pub response_body: String,
    /// Where it came from.
    pub client_ip: Option<IpAddr>,
}

#[derive(Serialize)]
struct Body<'a> {
    rid: &'a str,
}

/// POST /cgi-bin/openapi/rid/get: of the same account, for 7 days.
pub async fn get(client: &Client, tokens: &dyn Tokens, account: &Access, rid: &str) -> Result<Seen> {
    let request = Request::post("openapi/rid/get", &Body { rid })?;
    let answer = client.call(account, tokens, &request).await?;
    let seen = answer.body.get("request").and_then(Value::as_object);
    seen.and_then(|seen| read(seen, account)).ok_or_else(|| unreadable("openapi/rid/get", "request"))
}

fn read(seen: &Map<String, Value>, account: &Access) -> Option<Seen> {
    let veil = Veil::over(&account.secrets());
    let text = |key: &str| {
        let text = seen.get(key).and_then(Value::as_str).unwrap_or_default();
        masked(&veil.hide(text)).chars().take(LONGEST).collect()
    };
    Some(Seen {
        invoke_time: seen.get("invoke_time")?.as_i64()?,
        cost_in_ms: seen.get("cost_in_ms").and_then(Value::as_i64),
        request_url: text("request_url"),
        request_body: text("request_body"),
        response_body: text("response_body"),
        client_ip: seen.get("client_ip").and_then(Value::as_str).and_then(|ip| ip.parse().ok()),
    })
}

/// The text with the value behind each hidden name as `***`: `access_token=…`, `"secret": "…"`. It looks at letters and
/// not at a tree, so that half a JSON text is masked too.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_name) {
        let length = rest[start..].find(|c| !is_name(c)).unwrap_or(rest.len() - start);
        let (before, after) = rest.split_at(start + length);
        out.push_str(before);
        let name = before[start..].to_ascii_lowercase().replace("%5f", "_");
        rest = match value(after) {
            Some((gap, end)) if HIDDEN.iter().any(|hidden| name.contains(hidden)) => {
                out.push_str(&after[..gap]);
                out.push_str("***");
                &after[end..]
            }
            _ => after,
        };
    }
    out + rest
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '%'
}

/// Where the value of a name begins and ends, in what follows the name; `None` where no value follows.
fn value(after: &str) -> Option<(usize, usize)> {
    let blank = |text: &str, also: &[char]| text.len() - text.trim_start_matches(also).len();
    let sign = blank(after, &['"', '\'', '\\', ' ']);
    let gap = after[sign..].strip_prefix([':', '=']).map(|rest| after.len() - rest.len())?;
    let open = gap + blank(&after[gap..], &[' ']);
    let slashes = blank(&after[open..], &['\\']);
    let Some(quote) = after[open + slashes..].chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let end = after[open..].find(|c: char| c.is_control() || "& ,};\"".contains(c));
        return Some((open, end.map_or(after.len(), |end| open + end)));
    };
    let start = open + slashes + 1;
    // The quote that closes has as many slashes before it as the one that opens.
    let inner = &after[start..];
    let closes = |at: &usize| inner[..*at].len() - inner[..*at].trim_end_matches('\\').len() == slashes;
    let end = inner.match_indices(quote).map(|(at, _)| at).find(closes);
    Some((start, end.map_or(after.len(), |end| start + end - slashes)))
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn tokens_and_secrets_are_masked_wherever_they_stand() {
        for (text, shown) in [
            ("access_token=50_CANARY&openid=o1", "access_token=***&openid=o1"),
            ("a=1&ACCESS_TOKEN=CANARY", "a=1&ACCESS_TOKEN=***"),
            ("access%5Ftoken=CANARY&x=y", "access%5Ftoken=***&x=y"),
            (r#"{"secret":"CANARY","appid":"wx1"}"#, r#"{"secret":"***","appid":"wx1"}"#),
            (r#"{ "app_secret" : "CANARY" }"#, r#"{ "app_secret" : "***" }"#),
            (r#"{\"secret\":\"CANARY\",\"a\":1}"#, r#"{\"secret\":\"***\",\"a\":1}"#),
            (r#"{"token":"","b":"c"}"#, r#"{"token":"***","b":"c"}"#),
            (r#"{"access_token":"CANARY"#, r#"{"access_token":"***"#),
            (r#"{"session_key":"CA NARY","expires_in":7200}"#, r#"{"session_key":"***","expires_in":7200}"#),
            (r#"{"secret":"CA\"NARY","a":1}"#, r#"{"secret":"***","a":1}"#),
            ("secret=CANARY", "secret=***"),
            ("{'secret': 'CANARY'}", "{'secret': '***'}"),
            ("secret:", "secret:***"),
            ("invalid credential, access_token is invalid", "invalid credential, access_token is invalid"),
            ("标题：你好 openid=o1", "标题：你好 openid=o1"),
            ("", ""),
        ] {
            let hidden = masked(text);
            assert_eq!(hidden, shown);
            assert!(!hidden.contains("CANARY"));
        }
    }
}
