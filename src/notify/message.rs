//! The request of a message as JSON (WeCom reference 3 and 4).

use crate::domain::notice::{Recipient, Via};
use crate::error::{Error, Result};
use crate::say;
use serde_json::{Map, Value, json};

/// Seconds within which the platform lets nobody receive the same request twice: the most there is.
const DUPLICATES: u32 = 14_400;

/// A message of text.
pub fn text(content: &str, via: Via, to: &[Recipient], agent_id: Option<i64>) -> Result<String> {
    let mut body = Map::new();
    if via == Via::App {
        let list = |pick: fn(&Recipient) -> Option<&str>| to.iter().filter_map(pick).collect::<Vec<_>>().join("|");
        let users = list(|it| if let Recipient::User(id) = it { Some(id) } else { None });
        let parties = list(|it| if let Recipient::Party(id) = it { Some(id) } else { None });
        let tags = list(|it| if let Recipient::Tag(id) = it { Some(id) } else { None });
        match to.contains(&Recipient::All) {
            true => _ = body.insert("touser".into(), "@all".into()),
            false => {
                for (key, ids) in [("touser", users), ("toparty", parties), ("totag", tags)] {
                    if !ids.is_empty() {
                        body.insert(key.into(), ids.into());
                    }
                }
            }
        }
        let agent = agent_id
            .ok_or_else(|| Error::config(say!("no WeCom application is configured"; "没有配置企业微信应用")))?;
        body.insert("agentid".into(), agent.into());
        body.insert("enable_duplicate_check".into(), 1.into());
        body.insert("duplicate_check_interval".into(), DUPLICATES.into());
    }
    body.insert("msgtype".into(), "text".into());
    body.insert("text".into(), json!({ "content": content }));
    Ok(Value::Object(body).to_string())
}
