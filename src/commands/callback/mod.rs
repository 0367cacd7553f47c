//! `wxops callback …`: the URL that stands in the console.

mod check;

use super::Context;
use crate::error::Result;

/// The callback URL, as the platform sees it
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Example:\n  wxops callback check https://wx.example.com/wechat/event")]
pub(crate) enum Callback {
    Check(check::Check),
}

impl Callback {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Callback::Check(verb) => verb.run(context).await,
        }
    }
}
