//! What a sync tells at its end, also where it came only half the way.

use super::place::Place;
use crate::domain::account::Official;
use crate::error::{Lang, Text};
use crate::job::Run;
use crate::report::Report;
use crate::say;
use crate::store::Synced;
use serde_json::{Value, json};
use std::time::Instant;

/// What was done for one account.
pub(super) struct Told {
    account: String,
    start: Instant,
    /// It came to reading the list.
    pub begun: bool,
    /// It went on where another run had ended.
    pub resumed: bool,
    pub calls: u64,
    pub counts: Synced,
    pub gone: u64,
    pub failed: u64,
    /// Not in the list, and following all the same.
    pub overlooked: u64,
    total: Option<(i64, i64)>,
    pub dry_run: bool,
}

impl Told {
    pub fn new(account: &Official) -> Self {
        Told {
            account: account.name.clone(),
            start: Instant::now(),
            begun: false,
            resumed: false,
            calls: 0,
            counts: Synced::default(),
            gone: 0,
            failed: 0,
            overlooked: 0,
            total: None,
            dry_run: false,
        }
    }

    /// Whether there is something to tell.
    pub fn began(&self) -> bool {
        self.begun
    }

    /// The list is read to its end.
    pub fn listed(&mut self, place: &Place) {
        self.total = place.total;
        let listed = i64::try_from(self.counts.seen + self.failed).unwrap_or(i64::MAX);
        if let Some((least, most)) = place.total
            && !(least..=most).contains(&listed)
        {
            tracing::warn!(
                account = self.account,
                "WeChat counts {most} followers, its list holds {listed}: people may have come and gone meanwhile"
            );
        }
    }

    /// What the run counted.
    pub fn counted(&mut self, run: &Run) {
        self.counts = super::write::told(run);
        self.gone = run.counted("gone");
        self.failed = run.counted("failed");
    }
}

impl Report for Told {
    fn json(&self) -> Value {
        let Synced { seen, new, updated, unchanged, returned, kept } = self.counts;
        json!({
            "account": self.account,
            "dry_run": self.dry_run,
            "seen": seen,
            "new": new,
            "updated": updated,
            "unchanged": unchanged,
            "returned": returned,
            "kept": kept,
            "gone": self.gone,
            "overlooked": self.overlooked,
            "failed": self.failed,
            "total": self.total.map(|(_, most)| most),
            "calls": self.calls,
            "seconds": self.start.elapsed().as_secs_f64(),
            "resumed": self.resumed,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let Synced { seen, new, updated, unchanged, returned, kept } = self.counts;
        let Told { account, gone, failed, calls, .. } = self;
        let seconds = (self.start.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        if self.dry_run {
            return say!(
                "{account}: {seen} people seen; {new} would be new, {updated} updated, {unchanged} unchanged, \
                 {returned} returned, {kept} left alone, {gone} gone, {failed} failed; {calls} calls in {seconds} s";
                "{account}：共 {seen} 人；将新增 {new}，更新 {updated}，未变 {unchanged}，重新关注 {returned}，\
                 未改动 {kept}，已离开 {gone}，失败 {failed}；{calls} 次调用，用时 {seconds} 秒"
            )
            .in_lang(lang)
            .to_owned();
        }
        let text: Text = say!(
            "{account}: {seen} people seen, {new} new, {updated} updated, {unchanged} unchanged, {returned} returned, \
             {kept} left alone, {gone} gone, {failed} failed; {calls} calls in {seconds} s";
            "{account}：共 {seen} 人，新增 {new}，更新 {updated}，未变 {unchanged}，重新关注 {returned}，\
             未改动 {kept}，已离开 {gone}，失败 {failed}；{calls} 次调用，用时 {seconds} 秒"
        );
        text.in_lang(lang).to_owned()
    }
}
