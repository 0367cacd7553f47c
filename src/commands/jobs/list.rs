//! `wxops jobs list`.

use super::row::COLUMNS;
use crate::app::App;
use crate::commands::{Context, account_filter};
use crate::error::Result;
use crate::store::RunFilter;

/// Rows of one query.
const PAGE: i64 = 500;

/// List runs, newest first
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops jobs list --job \"followers sync\" --failed")]
pub struct List {
    /// Only of this job: "followers sync"
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// Only those that somebody should look at
    #[arg(long)]
    failed: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
}

impl List {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let account = account_filter(&app.config)?;
        let mut filter = RunFilter { job: self.job, account, failed: self.failed, before: None };
        let mut left = self.limit;
        let mut list = context.out.list(COLUMNS);
        while left > 0 {
            let page = app.store.runs(&filter, PAGE.min(i64::try_from(left).unwrap_or(PAGE))).await?;
            let Some(last) = page.last() else { break };
            filter.before = Some(last.id);
            for run in page {
                let run = app.store.as_it_stands(run).await?;
                if self.failed && !run.outcome.failed() {
                    continue;
                }
                left -= 1;
                list.row(&run)?;
            }
        }
        list.end().map(drop)
    }
}
