//! `wxops queue …`: the WeCom notification queue.

mod drain;

use super::Context;
use crate::error::Result;

/// The WeCom notification queue
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Example:\n  wxops queue status")]
pub(crate) enum Queue {
    Drain(drain::Drain),
}

impl Queue {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Queue::Drain(verb) => verb.run(context).await,
        }
    }
}
