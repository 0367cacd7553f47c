//! `wxops events tail`.

use super::row::{COLUMNS, Narrow};
use crate::app::App;
use crate::commands::Context;
use crate::error::Result;
use crate::store::{InboxFilter, InboxRow};
use std::collections::BTreeSet;
use std::time::Duration;

/// How often new rows are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Rows of one query.
const PAGE: i64 = 500;
/// Ids are drawn before they are committed, so a lower one may appear after a higher one: this far
/// back is looked again.
const LOOK_BACK: i64 = 2_000;

/// Show events as they come, until Ctrl-C
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops events tail --kind event.subscribe")]
pub struct Tail {
    #[command(flatten)]
    narrow: Narrow,
    /// How many of the latest to begin with
    #[arg(long, value_name = "N", default_value_t = 10)]
    lines: u32,
}

impl Tail {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        context.follow();
        let app = App::open(context.config()?.clone()).await?;
        let filter = self.narrow.filter(&app.config, app.now_ms())?;
        let mut first = app.store.inbox_page(&filter, i64::from(self.lines)).await?;
        first.reverse();
        let newest = app.store.inbox_page(&InboxFilter::default(), 1).await?.first().map_or(0, |row| row.id);
        let mut shown: BTreeSet<i64> = first.iter().map(|row| row.id).collect();
        let mut list = context.out.list(COLUMNS);
        first.iter().try_for_each(|row| list.row(row))?;
        list.flush()?;
        let mut from = newest;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let filter = InboxFilter { after: Some(from), ..filter.clone() };
            let rows: Vec<InboxRow> = app.store.inbox_after(&filter, PAGE + LOOK_BACK).await?;
            for row in rows.iter().filter(|row| !shown.contains(&row.id)) {
                list.row(row)?;
            }
            list.flush()?;
            shown.extend(rows.iter().map(|row| row.id));
            // What stood before the start is not news, however far back is looked.
            let top = shown.last().copied().unwrap_or(newest);
            from = newest.max(top.saturating_sub(LOOK_BACK));
            shown = shown.split_off(&from);
        }
    }
}
