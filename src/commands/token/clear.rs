//! `wxops token clear`.

use crate::app::App;
use crate::commands::Context;
use crate::error::{Lang, Result};
use crate::report::Report;
use crate::say;
use serde_json::json;

/// Forget the stored token; the next call asks for a new one
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops token clear")]
pub struct Clear {}

struct Cleared {
    account: String,
    cleared: bool,
}

impl Clear {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let account = app.config.access(None)?;
        let cleared = app.tokens.clear(account).await?;
        context.out.report(&Cleared { account: account.name.clone(), cleared })
    }
}

impl Report for Cleared {
    fn json(&self) -> serde_json::Value {
        json!({ "account": self.account, "cleared": self.cleared })
    }

    fn text(&self, lang: Lang) -> String {
        let account = &self.account;
        match self.cleared {
            true => say!("{account}: the token is forgotten"; "{account}：token 已清除"),
            false => say!("{account}: there was none"; "{account}：原本就没有 token"),
        }
        .in_lang(lang)
        .to_owned()
    }
}
