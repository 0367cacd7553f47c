//! This month's clears of an account, as the ledger has them.

use crate::app::App;
use crate::commands::{time_json, time_local};
use crate::domain::beijing;
use crate::error::Result;
use crate::say;
use crate::store::Entry;
use serde_json::{Value, json};

/// The platform allows so many clears a calendar month, its console's included (reference 8).
pub(super) const A_MONTH: usize = 10;

/// The clears of the month of Beijing at a moment.
pub(super) struct Month {
    pub clears: Vec<Entry>,
    now_ms: i64,
}

impl Month {
    pub async fn of(app: &App, account: &str) -> Result<Month> {
        let now_ms = app.now_ms();
        let clears = app.store.quota_clears(account, beijing::this_month(now_ms)).await?;
        Ok(Month { clears, now_ms })
    }

    /// How many of the ten are gone, as far as it is known here; what nobody knows the end of counts.
    pub fn used(&self) -> usize {
        self.clears.iter().filter(|clear| clear.counts()).count()
    }

    /// How many of the ten are left at most.
    pub fn left(&self) -> usize {
        A_MONTH.saturating_sub(self.used())
    }

    /// The first clear of this day of Beijing that took effect, or may have.
    pub fn today(&self) -> Option<&Entry> {
        let began = beijing::this_day(self.now_ms);
        self.clears.iter().find(|clear| clear.counts() && clear.at.timestamp_millis() >= began)
    }

    pub fn json(&self) -> Value {
        let clears: Vec<_> = self.clears.iter().map(clear_json).collect();
        json!({
            "used": self.used(),
            "of": A_MONTH,
            "left": self.left(),
            "until": time_json(beijing::next_month(self.now_ms)),
            "list": clears,
        })
    }

    /// For people, a line a clear.
    pub fn lines(&self) -> Vec<crate::error::Text> {
        let (used, until) = (self.used(), beijing::shown(beijing::next_month(self.now_ms)));
        let head = say!(
            "clears until {until}: {used} of {A_MONTH} used by this installation; those made in the console or by other \
             programs count too and are not known here";
            "{until} 之前的清零：本系统已用 {used}/{A_MONTH} 次；在后台或由其他程序进行的清零也计入，此处不知"
        );
        std::iter::once(head).chain(self.clears.iter().map(clear_text)).collect()
    }
}

/// A clear that nobody wrote the end of: the process that asked for it is gone, or is just asking.
fn outcome(clear: &Entry) -> &str {
    if clear.outcome == "asked" { "unknown" } else { &clear.outcome }
}

fn clear_json(clear: &Entry) -> Value {
    json!({
        "at": time_json(clear.at.timestamp_millis()),
        "by": clear.way,
        "outcome": outcome(clear),
        "errcode": clear.errcode,
        "rid": clear.rid,
        "who": clear.who,
    })
}

fn clear_text(clear: &Entry) -> crate::error::Text {
    let (at, who) = (time_local(clear.at.timestamp_millis()), &clear.who);
    let (by_en, by_zh) = match clear.way.as_deref() {
        Some("secret") => ("by secret", "用 AppSecret"),
        _ => ("by token", "用 token"),
    };
    let code = clear.errcode.map(|code| format!(" {code}")).unwrap_or_default();
    let (en, zh) = match outcome(clear) {
        "ok" => ("took effect", "已生效"),
        "refused" => ("refused", "被拒绝"),
        "unsent" => ("was not sent", "未发出"),
        _ => ("outcome unknown, counted", "结果未知，已计入"),
    };
    say!("  {at}  {by_en}  {en}{code}  {who}"; "  {at}  {by_zh}  {zh}{code}  {who}")
}
