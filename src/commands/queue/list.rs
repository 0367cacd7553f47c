//! `wxops queue list`.

use super::row::COLUMNS;
use crate::app::App;
use crate::commands::Context;
use crate::domain::notice::{Kind, State};
use crate::error::Result;
use crate::notify;
use crate::store::queue::NoticeFilter;

/// Rows of one query.
const PAGE: i64 = 500;

/// List notifications, newest first
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops queue list --failed")]
pub(crate) struct List {
    /// Only in this state: pending, processing, sent, failed, dead, cancelled
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<State>,
    /// Only of this kind: new, changed, status
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,
    /// Only of this member, by id
    #[arg(long, value_name = "ID")]
    member: Option<i64>,
    /// Only with an error: given up, to be tried again, not sent to everybody
    #[arg(long)]
    failed: bool,
    /// Only what may have gone out twice
    #[arg(long)]
    suspect: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
}

fn state(text: &str) -> Result<State, String> {
    State::parse(text).ok_or_else(|| "pending, processing, sent, failed, dead or cancelled".to_owned())
}

/// The kind of a flag.
pub(super) fn kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| "new, changed or status".to_owned())
}

impl List {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let db = notify::database(&app, &app.config).await?;
        let List { state, kind, member, failed, suspect, .. } = self;
        let mut filter = NoticeFilter { state, kind, member, failed, suspect, before: None };
        let mut left = self.limit;
        let mut list = context.out.list(COLUMNS);
        while left > 0 {
            let page = db.notices(&filter, PAGE.min(i64::try_from(left).unwrap_or(PAGE))).await?;
            let Some(last) = page.last() else { break };
            filter.before = Some(last.id);
            left -= page.len() as u64;
            page.iter().try_for_each(|row| list.row(row))?;
        }
        list.end().map(drop)
    }
}
