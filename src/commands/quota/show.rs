//! `wxops quota show`.

use super::ledger::Month;
use super::of_the_path;
use crate::app::App;
use crate::commands::{Context, accounts, time_json, time_local, worse};
use crate::domain::account::Official;
use crate::domain::beijing;
use crate::error::{Error, Lang, Result, Text};
use crate::platform::wechat::quota::{self, Quota, Rate};
use crate::report::{Report, escape, table};
use crate::say;
use crate::store::Entry;
use serde_json::{Value, json};

/// Show what each API has used today and what is left, and this month's clears
///
/// The platform is asked for each API that wxops itself calls. A limit of 0 is
/// none, or no right to the API: the platform does not tell which. The days are
/// Beijing's.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops quota show --api /cgi-bin/user/get")]
pub struct Show {
    /// Only this API, such as /cgi-bin/user/get; may be repeated
    #[arg(long = "api", value_name = "PATH", value_parser = path)]
    apis: Vec<String>,
}

/// A path as the platform wants it; `user/get` is short for `/cgi-bin/user/get`.
fn path(text: &str) -> Result<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "/_-.".contains(c);
    if text.is_empty() || !text.chars().all(fits) {
        return Err(Error::usage(say!("not the path of an API"; "不是 API 路径")).next(
            say!("write it without host and query: /cgi-bin/user/get"; "请去掉主机名与参数：/cgi-bin/user/get"),
        ));
    }
    Ok(match text {
        text if text.starts_with('/') => text.to_owned(),
        text if text.starts_with("cgi-bin/") => format!("/{text}"),
        text => format!("/cgi-bin/{text}"),
    })
}

struct Shown {
    account: String,
    apis: Vec<(String, Result<Quota>)>,
    month: Month,
    refusals: Vec<Entry>,
    now_ms: i64,
}

impl Show {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let mut worst: Option<Error> = None;
        for account in accounts(&app.config)? {
            let mut shown = Shown::of(&app, account).await?;
            let asked = shown.ask(&app, account, &self.apis).await;
            // The ledger is known, whatever the platform says.
            context.out.show(&shown)?;
            let Err(error) = asked else { continue };
            if app.config.account.as_deref() == Some("all") {
                tracing::error!(account = account.name, %error, "its quota is not known");
            }
            worst = Some(worse(worst, error));
        }
        worst.map_or(Ok(()), Err)
    }
}

impl Shown {
    async fn of(app: &App, account: &Official) -> Result<Shown> {
        let (name, now_ms) = (&account.name, app.now_ms());
        Ok(Shown {
            account: name.clone(),
            apis: Vec::new(),
            month: Month::of(app, name).await?,
            refusals: app.store.quota_refusals(name, beijing::this_month(now_ms)).await?,
            now_ms,
        })
    }

    /// One API after the other; an error that is not about the one that was asked for ends it.
    async fn ask(&mut self, app: &App, account: &Official, only: &[String]) -> Result<()> {
        let ours: Vec<String> = quota::OURS.iter().map(|path| (*path).to_owned()).collect();
        for path in if only.is_empty() { &ours } else { only } {
            let told = quota::get(&app.client, &*app.tokens, account, path).await;
            match told {
                Err(error) if !of_the_path(&error) => return Err(error),
                told => self.apis.push((path.clone(), told)),
            }
        }
        Ok(())
    }
}

impl Report for Shown {
    fn json(&self) -> Value {
        let apis: Vec<_> = self.apis.iter().map(|(path, told)| api_json(path, told)).collect();
        let refusals: Vec<_> = self.refusals.iter().map(refusal_json).collect();
        json!({
            "account": self.account,
            "apis": apis,
            "reopens_at": time_json(beijing::next_day(self.now_ms)),
            "clears": self.month.json(),
            "refusals": refusals,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let account = &self.account;
        let say = |text: Text| text.in_lang(lang).to_owned();
        let mut lines = Vec::new();
        if !self.apis.is_empty() {
            let hour = beijing::shown(beijing::next_day(self.now_ms));
            lines.push(say(say!("{account}: today's quota, until {hour}"; "{account}：今日配额，至 {hour}")));
            let head = match lang {
                Lang::En => ["API", "USED", "LIMIT", "LEFT", "RATE"],
                Lang::Zh => ["API", "已用", "上限", "剩余", "频率"],
            };
            let rows: Vec<_> = self.apis.iter().map(|(path, told)| cells(path, told)).collect();
            lines.push(table(&head, &rows));
            for (path, told) in &self.apis {
                let Err(error) = told else { continue };
                let why = error.what.in_lang(lang);
                lines.push(escape(&format!("{path}: {why}")).into_owned());
            }
        } else {
            lines.push(say(say!("{account}: today's quota is not known"; "{account}：今日配额未知")));
        }
        lines.extend(self.month.lines().into_iter().map(say));
        if !self.refusals.is_empty() {
            lines.push(say(say!("refused for want of quota this month:"; "本月因配额用尽被拒绝：")));
        }
        for refusal in &self.refusals {
            let (at, api, code) =
                (time_local(refusal.at.timestamp_millis()), &refusal.api, refusal.errcode.unwrap_or_default());
            lines.push(format!("  {at}  {}  {code}  {}", escape(api), escape(&refusal.who)));
        }
        lines.join("\n")
    }
}

fn api_json(path: &str, told: &Result<Quota>) -> Value {
    let quota = told.as_ref().ok();
    let error = told
        .as_ref()
        .err()
        .map(|error| json!({ "errcode": error.errcode, "message": error.what.en, "rid": error.rid }));
    json!({
        "api": path,
        "used": quota.map(|quota| quota.used),
        "limit": quota.and_then(|quota| quota.daily_limit),
        "left": quota.and_then(|quota| quota.remain),
        "rate_limit": quota.and_then(|quota| quota.rate_limit)
            .map(|Rate { calls, seconds }| json!({ "calls": calls, "seconds": seconds })),
        "error": error,
    })
}

fn cells(path: &str, told: &Result<Quota>) -> Vec<String> {
    let figure = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let quota = told.as_ref().ok();
    let rate = quota.and_then(|quota| quota.rate_limit);
    vec![
        path.to_owned(),
        figure(quota.map(|quota| quota.used)),
        figure(quota.and_then(|quota| quota.daily_limit)),
        figure(quota.and_then(|quota| quota.remain)),
        rate.map_or_else(|| "-".to_owned(), |Rate { calls, seconds }| format!("{calls}/{seconds}s")),
    ]
}

fn refusal_json(refusal: &Entry) -> Value {
    json!({
        "at": time_json(refusal.at.timestamp_millis()),
        "api": refusal.api,
        "errcode": refusal.errcode,
        "rid": refusal.rid,
        "who": refusal.who,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::path;

    #[test]
    fn a_path_is_written_as_the_platform_wants_it() {
        for (typed, path_) in [
            ("/cgi-bin/user/get", "/cgi-bin/user/get"),
            ("cgi-bin/user/get", "/cgi-bin/user/get"),
            ("user/get", "/cgi-bin/user/get"),
            ("/datacube/getusersummary", "/datacube/getusersummary"),
        ] {
            assert_eq!(path(typed).unwrap(), path_);
        }
        for typed in ["", "https://api.weixin.qq.com/cgi-bin/user/get", "user/get?access_token=x", "用户"] {
            assert!(path(typed).unwrap_err().next.unwrap().en.contains("without host"), "{typed}");
        }
    }
}
