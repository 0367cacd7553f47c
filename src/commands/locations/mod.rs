//! `wxops locations …`: where followers were last.

mod near;

use super::Context;
use crate::error::Result;

/// Where followers were last, as their phones told
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Example:\n  wxops locations near 23.1345,113.3588 --radius 2km")]
pub(crate) enum Locations {
    Near(near::NearBy),
}

impl Locations {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Locations::Near(verb) => verb.run(context).await,
        }
    }
}
