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
pub enum Followers {
    /// List people, oldest row first
    List(list::List),
    /// Write people to stdout or a file, as CSV or NDJSON
    Export(export::Export),
    /// Show one person, and why their data is missing
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
