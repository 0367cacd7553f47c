//! `wxops events replay`: handle an event again.

use crate::app::App;
use crate::commands::{Context, account_filter};
use crate::error::{Error, Kind, Lang, Result};
use crate::report::Report;
use crate::say;
use crate::store::InboxFilter;
use serde_json::json;

/// Rows of one query.
const PAGE: i64 = 500;

/// Handle events again: dead ones, or any that is named
///
/// They are made due; a running serve handles them. An event whose person has
/// left is erased and can't be replayed.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops events replay 17 18")]
pub struct Replay {
    /// The events' ids
    #[arg(value_name = "ID", required_unless_present = "dead", conflicts_with = "dead")]
    ids: Vec<i64>,
    /// Every dead event
    #[arg(long)]
    dead: bool,
    /// Say which, change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

struct Replayed {
    due: Vec<i64>,
    refused: Vec<i64>,
    dry_run: bool,
}

impl Replay {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let ids = if self.dead { dead(&app).await? } else { self.ids };
        let mut done = Replayed { due: Vec::new(), refused: Vec::new(), dry_run: self.dry_run };
        for id in ids {
            let again = match self.dry_run {
                true => app.store.inbox_event(id).await?.is_some_and(|row| row.raw.is_some()),
                false => app.store.replay_inbox(id, app.now_ms()).await?,
            };
            if again { done.due.push(id) } else { done.refused.push(id) }
        }
        context.out.report(&done)?;
        match (done.due.len(), done.refused.len()) {
            (_, 0) => Ok(()),
            (due, refused) => {
                let kind = if due == 0 { Kind::Failed } else { Kind::Partial };
                let ids = done.refused.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
                Err(Error::new(
                    kind,
                    say!(
                        "{refused} not replayed, unknown or erased because the person left: {ids}";
                        "{refused} 条未重放（不存在，或因用户取消关注已清除）：{ids}"
                    ),
                )
                .next(say!("see wxops events show ID"; "请查看 wxops events show 编号")))
            }
        }
    }
}

async fn dead(app: &App) -> Result<Vec<i64>> {
    let mut filter =
        InboxFilter { account: account_filter(&app.config)?, state: Some("dead".into()), ..InboxFilter::default() };
    let mut ids = Vec::new();
    loop {
        let page = app.store.inbox_after(&filter, PAGE).await?;
        let Some(last) = page.last() else { return Ok(ids) };
        filter.after = Some(last.id);
        ids.extend(page.iter().map(|row| row.id));
    }
}

impl Report for Replayed {
    fn json(&self) -> serde_json::Value {
        let text = |ids: &[i64]| ids.iter().map(i64::to_string).collect::<Vec<_>>();
        json!({ "due": text(&self.due), "refused": text(&self.refused), "dry_run": self.dry_run })
    }

    fn text(&self, lang: Lang) -> String {
        let due = self.due.len();
        match self.dry_run {
            true => say!("{due} would be handled again"; "{due} 条将重新处理"),
            false => {
                say!("{due} are due again; a running serve handles them"; "{due} 条已待重新处理，由运行中的 serve 执行")
            }
        }
        .in_lang(lang)
        .to_owned()
    }
}
