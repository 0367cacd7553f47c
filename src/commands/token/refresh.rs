//! `wxops token refresh`.

use crate::app::App;
use crate::commands::{Context, accounts, worse};
use crate::domain::account::Official;
use crate::error::{Error, Lang, Result};
use crate::report::Report;
use crate::say;
use serde_json::json;

/// See to it that the stored token lives longer than 5 minutes
///
/// Asks the platform only where it does not; many at once make one call.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops token refresh --account main")]
pub struct Refresh {
    /// Make a new token; the present one dies at once (20 a day allowed, at
    /// most 10 are used)
    #[arg(long)]
    force: bool,
    /// Say what would be done, ask nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

struct Refreshed {
    account: String,
    generation: i64,
    expires_at: Option<i64>,
    changed: bool,
    dry_run: bool,
}

impl Refresh {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let mut worst: Option<Error> = None;
        for account in accounts(&app.config)? {
            match self.one(&app, account).await {
                Ok(done) => context.out.report(&done)?,
                Err(error) if app.config.account.as_deref() != Some("all") => return Err(error),
                Err(error) => {
                    let name = &account.name;
                    tracing::error!(account = name, %error, "not refreshed");
                    worst = Some(worse(worst, error));
                }
            }
        }
        worst.map_or(Ok(()), Err)
    }

    async fn one(&self, app: &App, account: &Official) -> Result<Refreshed> {
        app.config.secret_of(account)?;
        let before = app.store.stored_token(&account.name).await?;
        let mut done = Refreshed {
            account: account.name.clone(),
            generation: before.generation,
            expires_at: before.expires_at,
            changed: false,
            dry_run: self.dry_run,
        };
        if !self.dry_run {
            let token = app.tokens.refresh(account, self.force).await?;
            done.changed = token.generation != before.generation;
            done.generation = token.generation;
            done.expires_at = Some(token.expires_at).filter(|end| *end != crate::domain::token::Token::UNKNOWN_EXPIRY);
        }
        Ok(done)
    }
}

impl Report for Refreshed {
    fn json(&self) -> serde_json::Value {
        json!({
            "account": self.account,
            "generation": self.generation.to_string(),
            "expires_at": self.expires_at.map(crate::commands::time_json),
            "changed": self.changed,
            "dry_run": self.dry_run,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let Refreshed { account, generation, .. } = self;
        let end = self
            .expires_at
            .map_or_else(|| say!("an unknown time"; "未知时间").in_lang(lang).to_owned(), crate::commands::time_local);
        let said = match (self.dry_run, self.changed) {
            (true, _) => say!(
                "{account}: would see to it that the token (generation {generation}, until {end}) lives longer than 5 minutes";
                "{account}：将确保 token（第 {generation} 代，有效至 {end}）剩余超过 5 分钟"
            ),
            (_, true) => {
                say!("{account}: a new token, generation {generation}, until {end}"; "{account}：新 token，第 {generation} 代，有效至 {end}")
            }
            _ => {
                say!("{account}: nothing to do, generation {generation} lives until {end}"; "{account}：无需刷新，第 {generation} 代有效至 {end}")
            }
        };
        said.in_lang(lang).to_owned()
    }
}
