//! `wxops token …`: the access_token of an account.

mod clear;
mod refresh;
mod set;
mod show;

use super::Context;
use crate::error::Result;

/// The access_token of an account: look, refresh, replace by hand
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Example:\n  wxops token show")]
pub enum Token {
    /// See to it that the stored token lives longer than 5 minutes
    Refresh(refresh::Refresh),
    /// Show the stored token: age, end, generation, who brought it
    Show(show::Show),
    /// Store a token that a person brings, read from stdin
    Set(set::Set),
    /// Forget the stored token; the next call asks for a new one
    Clear(clear::Clear),
}

impl Token {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Token::Refresh(verb) => verb.run(context).await,
            Token::Show(verb) => verb.run(context).await,
            Token::Set(verb) => verb.run(context).await,
            Token::Clear(verb) => verb.run(context).await,
        }
    }
}
