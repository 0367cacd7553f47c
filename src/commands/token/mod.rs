//! `wxops token …`: the access_token of an account.

mod blame;
mod clear;
mod copy;
mod refresh;
mod set;
mod show;

use super::Context;
use crate::error::Result;

/// The access_token of an account: look, refresh, replace by hand, find rivals
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Example:\n  wxops token show")]
pub(crate) enum Token {
    Refresh(refresh::Refresh),
    Show(show::Show),
    Set(set::Set),
    Clear(clear::Clear),
    Blame(blame::Blame),
}

impl Token {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Token::Refresh(verb) => verb.run(context).await,
            Token::Show(verb) => verb.run(context).await,
            Token::Set(verb) => verb.run(context).await,
            Token::Clear(verb) => verb.run(context).await,
            Token::Blame(verb) => verb.run(context).await,
        }
    }
}
