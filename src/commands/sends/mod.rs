//! `wxops sends …`: what was sent, and whether it arrived.

mod unknown;

use super::Context;
use crate::error::Result;

/// What was sent to the outside
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Example:\n  wxops sends unknown")]
pub(crate) enum Sends {
    Unknown(unknown::Unknown),
}

impl Sends {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Sends::Unknown(verb) => verb.run(context).await,
        }
    }
}
