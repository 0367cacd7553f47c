//! What `wxops quota clear` says: the call that it would make, and what came of one.

use super::super::ledger::{A_MONTH, Month};
use crate::domain::account::Official;
use crate::error::Lang;
use crate::report::Report;
use crate::say;
use crate::store::Way;
use serde_json::{Value, json};

/// The call, with token and secret masked.
pub(super) struct Planned {
    account: String,
    way: Way,
    url: String,
    body: Value,
    month: Month,
}

impl Planned {
    pub fn new(account: &Official, way: Way, month: Month) -> Self {
        let (base, api) = (account.api_base.trim_end_matches('/'), way.api());
        let (query, body) = match way {
            Way::Token => ("?access_token=***", json!({ "appid": account.app_id })),
            Way::Secret => ("", json!({ "appid": account.app_id, "appsecret": "***" })),
        };
        Planned { account: account.name.clone(), way, url: format!("{base}/cgi-bin/{api}{query}"), body, month }
    }
}

impl Report for Planned {
    fn json(&self) -> Value {
        json!({
            "account": self.account,
            "dry_run": true,
            "by": self.way.as_str(),
            "method": "POST",
            "url": self.url,
            "body": self.body,
            "clears": self.month.json(),
        })
    }

    fn text(&self, lang: Lang) -> String {
        let Planned { account, url, body, month, .. } = self;
        let used = month.used();
        say!(
            "{account}: would call\nPOST {url}\n{body}\n{used} of the month's {A_MONTH} clears are used";
            "{account}：将调用\nPOST {url}\n{body}\n本月 {A_MONTH} 次清零已用 {used} 次"
        )
        .in_lang(lang)
        .to_owned()
    }
}

/// A clear that took effect.
pub(super) struct Done {
    pub account: String,
    pub way: Way,
    pub rid: Option<String>,
    /// Channels that were paused for want of quota, and go on.
    pub resumed: u64,
    pub month: Month,
}

impl Report for Done {
    fn json(&self) -> Value {
        json!({
            "account": self.account,
            "dry_run": false,
            "by": self.way.as_str(),
            "rid": self.rid,
            "resumed": self.resumed,
            "clears": self.month.json(),
        })
    }

    fn text(&self, lang: Lang) -> String {
        let Done { account, resumed, month, .. } = self;
        let (used, left) = (month.used(), month.left());
        let (en, zh) = match resumed {
            0 => Default::default(),
            _ => (format!("; what was paused goes on ({resumed})"), format!("；已恢复暂停的调用（{resumed}）")),
        };
        say!(
            "{account}: today's quota is cleared; {used} of the month's {A_MONTH} are used, at most {left} are left{en}";
            "{account}：今日配额已清零；本月 {A_MONTH} 次已用 {used} 次，最多还剩 {left} 次{zh}"
        )
        .in_lang(lang)
        .to_owned()
    }
}
