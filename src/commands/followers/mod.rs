//! `wxops followers …`: who follows.

mod list;
mod show;

use super::Context;
use crate::error::Result;

/// Who follows, as user_mapping has it
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Example:\n  wxops followers list --followed")]
pub(crate) enum Followers {
    List(list::List),
    Show(show::Show),
}

impl Followers {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Followers::List(verb) => verb.run(context).await,
            Followers::Show(verb) => verb.run(context).await,
        }
    }
}
