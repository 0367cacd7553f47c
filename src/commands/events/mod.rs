//! `wxops events …`: the inbox of received callbacks.

pub(super) mod delivery;
mod list;
mod purge;
mod repair;
mod replay;
mod row;
mod show;
mod stats;
mod tail;

use super::Context;
use crate::error::Result;

/// The inbox of received callbacks
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Example:\n  wxops events list --state dead")]
pub(crate) enum Events {
    List(list::List),
    Show(show::Show),
    Replay(replay::Replay),
    Tail(tail::Tail),
    Stats(stats::Stats),
    Purge(purge::Purge),
    Repair(repair::Repair),
}

impl Events {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Events::List(verb) => verb.run(context).await,
            Events::Show(verb) => verb.run(context).await,
            Events::Replay(verb) => verb.run(context).await,
            Events::Tail(verb) => verb.run(context).await,
            Events::Stats(verb) => verb.run(context).await,
            Events::Purge(verb) => verb.run(context).await,
            Events::Repair(verb) => verb.run(context).await,
        }
    }
}
