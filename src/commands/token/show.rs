//! `wxops token show`.

use super::copy::CopyState;
use crate::app::App;
use crate::commands::{Context, time_json, time_local};
use crate::error::{Lang, Result};
use crate::report::Report;
use crate::say;
use crate::store::StoredToken;
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
}

struct Shown {
    account: String,
    stored: StoredToken,
    copy: Option<CopyState>,
    reveal: bool,
    now_ms: i64,
}

impl Show {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let account = app.config.official(None)?;
        let stored = app.store.stored_token(&account.name).await?;
        let copy = CopyState::of(app.cache.as_deref(), account, app.now_ms()).await;
        let now_ms = app.now_ms();
        let shown = Shown { account: account.name.clone(), stored, copy, reveal: self.reveal, now_ms };
        context.out.show(&shown)
    }
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
}

impl Report for Shown {
    fn json(&self) -> serde_json::Value {
        let StoredToken { expires_at, generation, who, refreshed_at, .. } = &self.stored;
        json!({
            "account": self.account,
            "token": self.token(),
            "generation": generation.to_string(),
            "expires_at": expires_at.map(time_json),
            "seconds_left": expires_at.map(|end| (end - self.now_ms) / 1000),
            "who": who,
            "refreshed_at": refreshed_at.map(|time| time_json(time.timestamp_millis())),
            "copy": self.copy.as_ref().map(CopyState::json),
        })
    }

    fn text(&self, lang: Lang) -> String {
        let StoredToken { expires_at, generation, who, refreshed_at, .. } = &self.stored;
        let account = &self.account;
        let copy = self.copy.as_ref().map(|copy| format!("\n{}", copy.text(lang))).unwrap_or_default();
        let Some(token) = self.token() else {
            return say!("{account}: no token stored (generation {generation}){copy}"; "{account}：未存储 token（第 {generation} 代）{copy}")
                .in_lang(lang)
                .to_owned();
        };
        let end = match expires_at {
            Some(end) => {
                let left = (end - self.now_ms) / 1000;
                format!("{} ({left} s)", time_local(*end))
            }
            None => say!("unknown, trusted until refused"; "未知，使用到被拒绝为止").in_lang(lang).to_owned(),
        };
        let came = refreshed_at.map_or("-".into(), |time| time_local(time.timestamp_millis()));
        let who = who.as_deref().unwrap_or("-");
        say!(
            "account     {account}\ntoken       {token}\nexpires     {end}\ngeneration  {generation}\nrefreshed   {came}, {who}{copy}";
            "账号    {account}\ntoken   {token}\n有效至  {end}\n代      {generation}\n刷新于  {came}，{who}{copy}"
        )
        .in_lang(lang)
        .to_owned()
    }
}
