//! `wxops token show`.

use super::copy::CopyState;
use crate::app::App;
use crate::commands::{Context, accesses, time_json, time_local, worse};
use crate::domain::account::Access;
use crate::error::{Error, Lang, Result};
use crate::platform::wechat::address;
use crate::report::{Report, span};
use crate::say;
use crate::store::StoredToken;
use crate::tokens::token_of;
use serde_json::json;

/// Show the stored token: age, end, generation, who brought it
///
/// The token itself is masked unless --reveal is given.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops token show --reveal")]
pub struct Show {
    /// Show the token in full
    #[arg(long)]
    reveal: bool,
    /// Ask the platform whether it takes the token; exit 77 where it does not
    #[arg(long)]
    check: bool,
}

struct Shown {
    account: Access,
    stored: StoredToken,
    copy: Option<CopyState>,
    reveal: bool,
    /// What the platform said; `None`: it was not asked.
    checked: Option<bool>,
    now_ms: i64,
}

impl Show {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let mut worst = None;
        for account in accesses(&app.config)? {
            let stored = app.store.stored_token(&account.name).await?;
            let mut checked = None;
            if self.check {
                let error = check(&app, account, &stored).await.err();
                checked = Some(error.is_none());
                worst = error.map_or(worst.take(), |error| Some(worse(worst.take(), error)));
            }
            let copy = CopyState::of(app.cache.as_deref(), account, app.now_ms()).await;
            let (account, reveal, now_ms) = (account.clone(), self.reveal, app.now_ms());
            context.out.show(&Shown { account, stored, copy, reveal, checked, now_ms })?;
        }
        worst.map_or(Ok(()), Err)
    }
}

/// One cheap call with this very token, which is not replaced where it is refused.
async fn check(app: &App, account: &Access, stored: &StoredToken) -> Result<()> {
    let name = &account.name;
    let none = || {
        Error::failed(say!("{name}: there is no token to check"; "{name}：没有可检查的 token"))
            .next(say!("wxops token refresh --account {name}"; "请执行 wxops token refresh --account {name}"))
    };
    let token = token_of(stored).ok_or_else(none)?;
    address::try_token(&app.client, account, &token).await
}

impl Shown {
    /// First and last letters of a long token; nothing of a short one.
    fn token(&self) -> Option<String> {
        let token = self.stored.token.as_ref()?.reveal();
        if self.reveal {
            return Some(token.to_owned());
        }
        let letters: Vec<char> = token.chars().collect();
        if letters.len() < 24 {
            return Some("***".to_owned());
        }
        let (head, tail): (String, String) =
            (letters[..4].iter().collect(), letters[letters.len() - 4..].iter().collect());
        Some(format!("{head}…{tail}"))
    }

    /// Until when the token before it works beside it, where it still does.
    fn previous_until(&self) -> Option<i64> {
        self.stored.previous.as_ref().map(|(_, until)| *until).filter(|until| *until > self.now_ms)
    }

    /// Until when no token may be asked for.
    fn held_until(&self) -> Option<i64> {
        self.stored.hold.as_ref().map(|hold| hold.until).filter(|until| *until > self.now_ms)
    }

    fn age_seconds(&self) -> Option<i64> {
        self.stored.refreshed_at.map(|time| (self.now_ms - time.timestamp_millis()).max(0) / 1000)
    }
}

impl Report for Shown {
    fn json(&self) -> serde_json::Value {
        let StoredToken { expires_at, generation, who, refreshed_at, .. } = &self.stored;
        json!({
            "account": self.account.name,
            "platform": self.account.platform.as_str(),
            "api": self.account.token_from.as_ref().map_or(self.account.token_api.as_str(), |_| "token_from"),
            "token": self.token(),
            "generation": generation.to_string(),
            "expires_at": expires_at.map(time_json),
            "seconds_left": expires_at.map(|end| (end - self.now_ms) / 1000),
            "age_seconds": self.age_seconds(),
            "who": who,
            "refreshed_at": refreshed_at.map(|time| time_json(time.timestamp_millis())),
            "copy": self.copy.as_ref().map(CopyState::json),
            "previous_until": self.previous_until().map(time_json),
            "held_until": self.held_until().map(time_json),
            "held_errcode": self.held_until().and(self.stored.hold.as_ref()).map(|hold| hold.code),
            "accepted": self.checked,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let StoredToken { expires_at, generation, who, refreshed_at, .. } = &self.stored;
        let account = &self.account.name;
        let mut text = match self.token() {
            None => say!("{account}: no token stored (generation {generation})"; "{account}：未存储 token（第 {generation} 代）")
                .in_lang(lang)
                .to_owned(),
            Some(token) => {
                let end = match expires_at {
                    Some(end) => {
                        let left = (end - self.now_ms) / 1000;
                        format!("{} ({left} s)", time_local(*end))
                    }
                    None => say!("unknown, trusted until refused"; "未知，使用到被拒绝为止").in_lang(lang).to_owned(),
                };
                let came = refreshed_at.map_or("-".into(), |time| time_local(time.timestamp_millis()));
                let age = self.age_seconds().map_or_else(String::new, |age| span(age * 1000).in_lang(lang).to_owned());
                let who = who.as_deref().unwrap_or("-");
                say!(
                    "account     {account}\ntoken       {token}\nexpires     {end}\ngeneration  {generation}\nrefreshed   {came} ({age} ago), {who}";
                    "账号    {account}\ntoken   {token}\n有效至  {end}\n代      {generation}\n刷新于  {came}（{age}前），{who}"
                )
                .in_lang(lang)
                .to_owned()
            }
        };
        let mut line = |said: crate::error::Text| {
            text.push('\n');
            text.push_str(said.in_lang(lang));
        };
        if let Some(until) = self.previous_until().map(time_local) {
            line(say!("previous    works until {until}"; "上一代  {until} 前仍可用"));
        }
        if let (Some(until), Some(hold)) = (self.held_until().map(time_local), &self.stored.hold) {
            let reason = &hold.reason;
            line(
                say!("held        no call for a token before {until}: {reason}"; "暂停    {until} 之前不获取 token：{reason}"),
            );
        }
        if let Some(copy) = &self.copy {
            line(copy.text());
        }
        match self.checked {
            Some(true) => line(say!("platform    takes it"; "平台    接受该 token")),
            Some(false) => line(say!("platform    does not take it"; "平台    不接受该 token")),
            None => {}
        }
        text
    }
}
