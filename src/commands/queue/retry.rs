//! `wxops queue retry`: a person says that rows are to be sent again.

use super::show::no_such;
use crate::app::App;
use crate::commands::Context;
use crate::domain::notice::State;
use crate::error::{Error, Kind, Lang, Result};
use crate::notify;
use crate::report::Report;
use crate::say;
use crate::store::queue::QueueDb;
use serde_json::{Value, json};

/// Rows of one statement.
const PAGE: i64 = 500;

/// Make notifications due at once, with all their attempts before them
///
/// What was given up is made anew, by the rules and templates of today. What was
/// sent, or is in hand, stays as it is. The next drain sends them.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops queue retry --dead --code 81013")]
pub(crate) struct Retry {
    /// The rows' ids
    #[arg(value_name = "ID", required_unless_present = "dead", conflicts_with = "dead")]
    ids: Vec<i64>,
    /// All that were given up
    #[arg(long)]
    dead: bool,
    /// Of these only with this errcode
    #[arg(long, value_name = "ERRCODE", requires = "dead", allow_negative_numbers = true)]
    code: Option<i64>,
    /// Say which, change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

struct Told {
    due: u64,
    left: Vec<(i64, String)>,
    dry_run: bool,
}

impl Retry {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let db = notify::database(&app, &app.config).await?;
        let told = if self.dead { self.all_dead(&db).await? } else { self.named(&db).await? };
        let left = told.left.len();
        context.out.report(&told)?;
        if left == 0 {
            return Ok(());
        }
        Err(Error::new(Kind::Partial, say!("{left} notifications stay as they are"; "{left} 条通知保持原样"))
            .next(say!("look at each with wxops queue show ID"; "请用 wxops queue show ID 逐条查看")))
    }

    async fn all_dead(&self, db: &QueueDb) -> Result<Told> {
        let (mut due, mut above) = (0, 0);
        loop {
            let page = db.notices_in(State::Dead, self.code, above, PAGE).await?;
            let Some(last) = page.last() else { break };
            above = *last;
            due += if self.dry_run { page.len() as u64 } else { db.retry_notices(&page).await? };
        }
        Ok(Told { due, left: Vec::new(), dry_run: self.dry_run })
    }

    async fn named(&self, db: &QueueDb) -> Result<Told> {
        let (mut these, mut left) = (Vec::new(), Vec::new());
        for id in &self.ids {
            let row = db.notice(*id).await?.ok_or_else(|| no_such(*id))?.row;
            match row.state.as_str() {
                "sent" | "processing" => left.push((*id, row.state)),
                _ => these.push(*id),
            }
        }
        let due = match (these.is_empty(), self.dry_run) {
            (true, _) => 0,
            (false, true) => these.len() as u64,
            (false, false) => db.retry_notices(&these).await?,
        };
        Ok(Told { due, left, dry_run: self.dry_run })
    }
}

impl Report for Told {
    fn json(&self) -> Value {
        let left = self.left.iter().map(|(id, state)| json!({ "id": id.to_string(), "status": state }));
        json!({ "due": self.due, "left": left.collect::<Vec<_>>(), "dry_run": self.dry_run })
    }

    fn text(&self, lang: Lang) -> String {
        let due = self.due;
        let mut text = match self.dry_run {
            true => say!("{due} notifications would be due at once"; "将有 {due} 条通知立即到期"),
            false => {
                say!("{due} notifications are due at once; the next drain sends them"; "{due} 条通知已立即到期，下次 drain 时发送")
            }
        };
        for (id, state) in &self.left {
            text.en.push_str(&format!("\n{id} stays: it is {state}"));
            text.zh.push_str(&format!("\n{id} 保持原样：状态为 {state}"));
        }
        text.in_lang(lang).to_owned()
    }
}
