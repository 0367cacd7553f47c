//! What a repair tells at its end, also where it came only half the way.

use super::lost::Lost;
use crate::app::App;
use crate::commands::{time_json, time_local};
use crate::domain::account::Official;
use crate::error::{Lang, Text};
use crate::job::Run;
use crate::report::{Report, table};
use crate::say;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// What was found and done for one account.
pub(super) struct Repaired {
    account: String,
    pub since: DateTime<Utc>,
    pub dry_run: bool,
    erases: bool,
    /// Everybody was asked about who had to be.
    pub complete: bool,
    /// How many follow, as WeChat counts them; `None` before the first page.
    total: Option<i64>,
    /// People of the list so far.
    pub listed: u64,
    /// Who followed before, as far as the table knew.
    pub known: i64,
    /// In the list, not known as following.
    pub unknown: u64,
    /// Known as following, not in the list.
    pub unlisted: u64,
    /// Of the unknown: who follows now in the table too.
    pub added: u64,
    /// Of the unlisted: who left.
    pub left: u64,
    /// Of the unlisted: who follows all the same.
    pub stayed: u64,
    /// Who could not be asked about yet.
    pub open: u64,
    pub lost: Option<Vec<Lost>>,
}

impl Repaired {
    pub fn new(app: &App, account: &Official, since: DateTime<Utc>, dry_run: bool) -> Self {
        Repaired {
            account: account.name.clone(),
            since,
            dry_run,
            erases: app.erases(),
            complete: false,
            total: None,
            listed: 0,
            known: 0,
            unknown: 0,
            unlisted: 0,
            added: 0,
            left: 0,
            stayed: 0,
            open: 0,
            lost: None,
        }
    }

    /// Whether WeChat told anything.
    pub fn began(&self) -> bool {
        self.total.is_some()
    }

    /// The counts of the run.
    pub fn tell(&self, run: &Run) {
        let Repaired { listed, unknown, unlisted, added, left, stayed, open, .. } = *self;
        for (name, count) in [
            ("listed", listed),
            ("unknown", unknown),
            ("unlisted", unlisted),
            ("added", added),
            ("left", left),
            ("stayed", stayed),
            ("open", open),
        ] {
            run.set_count(name, count);
        }
    }

    /// WeChat's own count; that of the last page stands.
    pub fn in_list(&mut self, total: i64) {
        self.total = Some(total);
    }

    fn followers(&self) -> Vec<Text> {
        let Repaired { account, listed, known, unknown, unlisted, added, left, stayed, open, .. } = self;
        let mut lines = vec![say!(
            "{account}: {listed} people in WeChat's list, {known} known as following";
            "{account}：微信列表中有 {listed} 人，已知关注 {known} 人"
        )];
        if self.dry_run {
            lines.push(say!(
                "would add {unknown} who follow unnoticed, and ask about {unlisted} who are not in the list";
                "将补上未知的关注者 {unknown} 人，并查询不在列表中的 {unlisted} 人"
            ));
            return lines;
        }
        lines.push(say!("{added} had followed unnoticed and are added"; "补上未知的关注者 {added} 人"));
        lines.push(match self.erases {
            true => say!("{left} had left unnoticed and are erased"; "未知的取消关注者 {left} 人，已清除其数据"),
            false => say!("{left} had left unnoticed and are marked so"; "未知的取消关注者 {left} 人，已标记"),
        });
        if *stayed > 0 {
            lines.push(say!("{stayed} are not in the list, but follow"; "{stayed} 人不在列表中，但仍在关注"));
        }
        if *open > 0 {
            lines.push(say!("{open} could not be asked about yet"; "{open} 人尚未能查询"));
        }
        lines
    }

    fn lost_text(&self) -> Text {
        let since = time_local(self.since.timestamp_millis());
        say!(
            "can't be had back: messages, menu clicks, scans, positions, answers to templates and whatever else WeChat \
             told once, since {since}";
            "无法补回：{since} 以来的消息、菜单点击、扫码、位置、模板消息结果等微信只推送一次的内容"
        )
    }

    fn lost_table(&self, lang: Lang) -> Option<String> {
        let lost = self.lost.as_ref().filter(|lost| !lost.is_empty())?;
        let head = match lang {
            Lang::En => ["KIND", "CAME", "USUAL"],
            Lang::Zh => ["类型", "已收到", "通常"],
        };
        let rows = lost.iter().map(|row| vec![row.kind.clone(), row.came.to_string(), row.usual.to_string()]);
        Some(table(&head, &rows.collect::<Vec<_>>()))
    }
}

impl Report for Repaired {
    fn json(&self) -> Value {
        let lost = self.lost.as_ref().map(|lost| {
            let row = |row: &Lost| json!({ "kind": row.kind, "came": row.came, "usual": row.usual });
            lost.iter().map(row).collect::<Vec<_>>()
        });
        json!({
            "account": self.account,
            "since": time_json(self.since.timestamp_millis()),
            "dry_run": self.dry_run,
            "complete": self.complete,
            "total": self.total,
            "listed": self.listed,
            "known": self.known,
            "unknown": self.unknown,
            "unlisted": self.unlisted,
            "added": self.added,
            "left": self.left,
            "stayed": self.stayed,
            "open": self.open,
            "lost": lost,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let lines = self.followers().into_iter().chain([self.lost_text()]);
        let mut text: Vec<String> = lines.map(|line| line.in_lang(lang).to_owned()).collect();
        text.extend(self.lost_table(lang));
        text.join("\n")
    }
}
