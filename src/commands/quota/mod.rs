//! `wxops quota …`: what the platform still allows an account.

mod clear;
mod forecast;
mod ledger;
mod show;

use super::Context;
use crate::error::{Error, Result};

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

/// Whether an error says that an API can't be asked about, and nothing of the others: a path that is unknown or of
/// another kind of account, or no right to it (reference 8).
fn of_the_path(error: &Error) -> bool {
    error.errcode.is_some_and(|code| matches!(code, 76003 | 76021 | 76022 | 48001))
}
