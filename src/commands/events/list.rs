//! `wxops events list`.

use super::row::{COLUMNS, Narrow};
use crate::app::App;
use crate::commands::Context;
use crate::error::Result;

/// Rows of one query.
const PAGE: i64 = 500;

/// List events, newest first
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops events list --state dead")]
pub struct List {
    #[command(flatten)]
    narrow: Narrow,
    /// Only what a hook could not be told of, or may not have been
    #[arg(long)]
    hook_failed: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
}

impl List {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let mut filter = self.narrow.filter(&app.config, app.now_ms())?;
        filter.hook_failed = self.hook_failed;
        let mut left = self.limit;
        let mut list = context.out.list(COLUMNS);
        while left > 0 {
            let page = app.store.inbox_page(&filter, PAGE.min(i64::try_from(left).unwrap_or(PAGE))).await?;
            let Some(last) = page.last() else { break };
            filter.before = Some(last.id);
            left -= page.len() as u64;
            page.iter().try_for_each(|row| list.row(row))?;
        }
        list.end().map(drop)
    }
}
