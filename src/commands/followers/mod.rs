//! `wxops followers …`: who follows.

mod export;
mod list;
mod show;
mod where_filter;

use super::Context;
use crate::error::Result;

/// Who follows, as user_mapping has it
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Example:\n  wxops followers list --followed")]
pub(crate) enum Followers {
    List(list::List),
    Export(export::Export),
    Show(show::Show),
}

impl Followers {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Followers::List(verb) => verb.run(context).await,
            Followers::Export(verb) => verb.run(context).await,
            Followers::Show(verb) => verb.run(context).await,
        }
    }
}
