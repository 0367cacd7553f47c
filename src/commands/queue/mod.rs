//! `wxops queue …`: the WeCom notification queue.

mod cleanup;
mod cron;
mod drain;
mod dump;
mod install;
mod list;
mod retry;
mod rollback;
mod row;
mod show;
mod status;
mod test;
mod validate;

use super::Context;
use crate::error::Result;

/// The WeCom notification queue
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Example:\n  wxops queue status")]
pub(crate) enum Queue {
    Install(install::Install),
    Validate(validate::Validate),
    Drain(drain::Drain),
    Status(status::Status),
    List(list::List),
    Show(show::Show),
    Retry(retry::Retry),
    Cleanup(cleanup::Cleanup),
    Test(test::Test),
    Rollback(rollback::Rollback),
}

impl Queue {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Queue::Install(verb) => verb.run(context).await,
            Queue::Validate(verb) => verb.run(context).await,
            Queue::Drain(verb) => verb.run(context).await,
            Queue::Status(verb) => verb.run(context).await,
            Queue::List(verb) => verb.run(context).await,
            Queue::Show(verb) => verb.run(context).await,
            Queue::Retry(verb) => verb.run(context).await,
            Queue::Cleanup(verb) => verb.run(context).await,
            Queue::Test(verb) => verb.run(context).await,
            Queue::Rollback(verb) => verb.run(context).await,
        }
    }
}
