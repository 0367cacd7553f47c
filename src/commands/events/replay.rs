//! `wxops events replay`: handle an event again.

use crate::app::App;
use crate::commands::{Context, account_filter};
use crate::config::Config;
use crate::domain::near::near;
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
/// left is erased and can't be replayed. With --hook only that hook is told
/// again, under the same webhook-id; the event itself stays as it is.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops events replay 17 18")]
pub struct Replay {
    /// The events' ids
    #[arg(value_name = "ID", required_unless_present = "dead", conflicts_with = "dead")]
    ids: Vec<i64>,
    /// Every dead event; with --hook every one that it could not be told of
    #[arg(long)]
    dead: bool,
    /// Tell this hook again, nobody else
    #[arg(long, value_name = "NAME")]
    hook: Option<String>,
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
        let hook = self.hook.as_deref().map(|name| known(&app.config, name)).transpose()?;
        let ids = match hook {
            Some(hook) if self.dead => failed(&app, hook).await?,
            _ if self.dead => dead(&app).await?,
            _ => self.ids,
        };
        let mut done = Replayed { due: Vec::new(), refused: Vec::new(), dry_run: self.dry_run };
        for id in ids {
            let again = match (hook, self.dry_run) {
                (None, true) => app.store.inbox_event(id).await?.is_some_and(|row| row.raw.is_some()),
                (None, false) => app.store.replay_inbox(id, app.now_ms()).await?,
                (Some(hook), true) => app.store.can_replay_hook(id, hook).await?,
                (Some(hook), false) => app.store.replay_hook(id, hook, app.now_ms()).await?,
            };
            if again { done.due.push(id) } else { done.refused.push(id) }
        }
        if let (Some(hook), true, false) = (hook, self.dead, self.dry_run) {
            // Also where nothing failed: its receiver may have been mended.
            app.store.wake_hook(hook).await?;
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

/// The hook of that name; exit 2 with the near one.
fn known<'a>(config: &'a Config, name: &str) -> Result<&'a str> {
    if let Some(hook) = config.hooks.iter().find(|hook| hook.name == name) {
        return Ok(&hook.name);
    }
    let error = Error::usage(say!("--hook: there is no hook {name:?}"; "--hook：没有名为 {name:?} 的 hook"));
    Err(match near(name, config.hooks.iter().map(|hook| hook.name.as_str())) {
        Some(near) => error.next(say!("did you mean {near}?"; "是不是 {near}？")),
        None => error.next(say!("write it as a [[hook]] of the file first"; "请先在配置文件中写入 [[hook]]")),
    })
}

async fn failed(app: &App, hook: &str) -> Result<Vec<i64>> {
    let mut ids = Vec::new();
    loop {
        let page = app.store.failed_deliveries(hook, ids.last().copied().unwrap_or(0), PAGE).await?;
        if page.is_empty() {
            return Ok(ids);
        }
        ids.extend(page);
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
