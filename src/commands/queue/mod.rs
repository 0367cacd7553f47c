//! `wxops queue …`: notifications about members, by WeCom.

mod install;

use super::Context;
use crate::error::Result;

/// Notifications about new members, by WeCom
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Example:\n  wxops queue install --dry-run")]
pub(crate) enum Queue {
    Install(install::Install),
}

impl Queue {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Queue::Install(verb) => verb.run(context).await,
        }
    }
}
