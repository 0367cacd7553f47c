//! `wxops followers …`: who follows.

mod export;
mod forget;
mod list;
mod purge;
mod receipt;
mod requests;
mod show;
mod sync;
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
    Forget(forget::Forget),
    Requests(requests::Requests),
    Purge(purge::Purge),
    Sync(sync::Sync),
}

impl Followers {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Followers::List(verb) => verb.run(context).await,
            Followers::Export(verb) => verb.run(context).await,
            Followers::Show(verb) => verb.run(context).await,
            Followers::Forget(verb) => verb.run(context).await,
            Followers::Requests(verb) => verb.run(context).await,
            Followers::Purge(verb) => verb.run(context).await,
            Followers::Sync(verb) => verb.run(context).await,
        }
    }
}
