//! `wxops db …`: the schema, and a copy of all.

mod adopt;
mod backup;
mod migrate;
mod status;

use super::Context;
use crate::error::Result;
use crate::store::{Options, Store, Zone};

/// The database: its schema, a backup
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "Example:\n  wxops db status")]
pub(crate) enum Db {
    Migrate(migrate::Migrate),
    Status(status::Status),
    Backup(backup::Backup),
}

impl Db {
    /// Runs the verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Db::Migrate(verb) => verb.run(context).await,
            Db::Status(verb) => verb.run(context).await,
            Db::Backup(verb) => verb.run(context).await,
        }
    }
}

/// The database without its schema being looked at.
async fn open(context: &Context, create: bool) -> Result<Store> {
    let config = context.config()?;
    let zone = config.user_mapping_timezone.map(Zone::from);
    Store::open(&config.database_url, Options { create, zone, ..Options::default() }).await
}
