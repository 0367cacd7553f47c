//! `wxops jobs …`: every run of a scheduled job.

mod list;
mod row;
mod show;

use super::Context;
use crate::error::Result;

/// What scheduled jobs have done, run by run
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Example:\n  wxops jobs list --failed")]
pub(crate) enum Jobs {
    List(list::List),
    Show(show::Show),
}

impl Jobs {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Jobs::List(verb) => verb.run(context).await,
            Jobs::Show(verb) => verb.run(context).await,
        }
    }
}
