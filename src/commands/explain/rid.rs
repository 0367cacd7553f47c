//! A rid: what the platform remembers of the request, and what its errcode means.

use super::scan::{self, Finding};
use super::shown::{Explained, line};
use crate::app::App;
use crate::commands::{Context, time_json, time_local};
use crate::error::{Error, Lang, Result};
use crate::platform::wechat::rid::{self, Seen};
use crate::report::{Report, escape};
use crate::say;
use serde_json::{Value, json};

/// The code of a rid that another account's call got (reference 8).
const OF_ANOTHER: i64 = 76003;

struct Shown {
    rid: String,
    account: String,
    seen: Seen,
    explained: Option<Explained>,
}

/// Looks the rid up with the account's token; the explanation of its errcode, for the exit code.
pub(super) async fn show(context: &mut Context, rid: &str) -> Result<Option<Explained>> {
    // Without an account nothing is opened: the database would be made.
    let config = context.config()?.clone();
    config.official(None)?;
    let app = App::open(config).await?;
    let account = app.config.official(None)?;
    let seen = rid::get(&app.client, &*app.tokens, account, rid).await.map_err(|error| elsewhere(error, &app, rid))?;
    let code = scan::line(&seen.response_body).findings.into_iter().find(|found| matches!(found, Finding::Code(_)));
    let mut explained = code.map(|code| code.explain(app.now_ms()));
    if let Some(explained) = &mut explained {
        explained.rid = None;
    }
    let shown = Shown { rid: rid.to_owned(), account: account.name.clone(), seen, explained };
    context.out.show(&shown)?;
    Ok(shown.explained)
}

/// Which other accounts the rid may belong to.
fn elsewhere(error: Error, app: &App, rid: &str) -> Error {
    let asked = app.config.official(None).map_or("", |account| account.name.as_str());
    let others: Vec<&str> =
        app.config.officials.iter().map(|a| a.name.as_str()).filter(|name| *name != asked).collect();
    if error.errcode != Some(OF_ANOTHER) || others.is_empty() {
        return error;
    }
    let others = others.join("|");
    error.next(say!(
        "it is no rid of account {asked}: wxops --account {others} explain {rid}";
        "该 rid 不属于账号 {asked}：请用 wxops --account {others} explain {rid}"
    ))
}

impl Report for Shown {
    fn json(&self) -> Value {
        let Seen { invoke_time, cost_in_ms, request_url, request_body, response_body, client_ip } = &self.seen;
        json!({
            "kind": "rid",
            "name": self.rid,
            "rid": self.rid,
            "account": self.account,
            "invoke_time": time_json(invoke_time.saturating_mul(1000)),
            "cost_seconds": cost_in_ms.map(|ms| ms as f64 / 1000.0),
            "request_url": request_url,
            "request_body": request_body,
            "response_body": response_body,
            "client_ip": client_ip.map(|ip| ip.to_string()),
            "explained": self.explained.as_ref().map(Report::json),
        })
    }

    fn text(&self, lang: Lang) -> String {
        let Seen { invoke_time, cost_in_ms, request_url, request_body, response_body, client_ip } = &self.seen;
        let labels = match lang {
            Lang::En => ["account", "time", "took", "from", "query", "body", "answer"],
            Lang::Zh => ["账号", "时间", "耗时", "来源", "查询串", "请求体", "应答"],
        };
        let texts = [
            self.account.clone(),
            time_local(invoke_time.saturating_mul(1000)),
            cost_in_ms.map_or("-".into(), |ms| format!("{ms} ms")),
            client_ip.map_or("-".into(), |ip| ip.to_string()),
            escape(request_url).into_owned(),
            escape(request_body).into_owned(),
            escape(response_body).into_owned(),
        ];
        let shown = labels.iter().zip(&texts).filter(|(_, text)| !text.is_empty());
        let head = shown.fold(format!("rid {}", self.rid), |head, (label, text)| head + &line(label, text));
        match &self.explained {
            Some(explained) => format!("{head}\n\n{}", explained.text(lang)),
            None => head,
        }
    }
}
