//! `wxops quota …`: what the platform still allows an account.

mod clear;
mod forecast;
mod ledger;
mod show;

use super::Context;
use crate::error::Result;

/// What the platform still allows an account today
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Example:\n  wxops quota show")]
pub(crate) enum Quota {
    Show(show::Show),
    Clear(clear::Clear),
    Forecast(forecast::Forecast),
}

impl Quota {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Quota::Show(verb) => verb.run(context).await,
            Quota::Clear(verb) => verb.run(context).await,
            Quota::Forecast(verb) => verb.run(context).await,
        }
    }
}
