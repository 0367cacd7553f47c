//! `wxops queue …`: the WeCom notification queue.

mod cron;
mod dump;
mod install;
mod rollback;
mod validate;

use super::Context;
use crate::error::Result;

/// The WeCom notification queue
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Example:\n  wxops queue install --dry-run")]
pub(crate) enum Queue {
    Install(install::Install),
    Validate(validate::Validate),
    Rollback(rollback::Rollback),
}

impl Queue {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Queue::Install(verb) => verb.run(context).await,
            Queue::Validate(verb) => verb.run(context).await,
            Queue::Rollback(verb) => verb.run(context).await,
        }
    }
}
