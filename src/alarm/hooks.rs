//! Hooks that somebody should look at.

use super::Kind;
use super::finding::{Finding, REST_MS, WAITING_MS};
use crate::app::App;
use crate::config::Config;
use crate::error::{Result, Text};
use crate::report::{escape, span};
use crate::say;
use crate::store::{HookCount, Pause};

/// How hooks stand.
#[derive(Debug, Clone, Default)]
pub struct Hooks {
    /// The names of those that are configured.
    pub configured: Vec<String>,
    /// How many deliveries wait or did not end well, by hook and state.
    pub counts: Vec<HookCount>,
    /// Those that rest; `api` is `hook:NAME`.
    pub resting: Vec<Pause>,
}

/// The name in a [`Pause`] of a hook; `None` for a pause of WeChat's APIs.
pub fn hook_of(pause: &Pause) -> Option<&str> {
    pause.api.strip_prefix("hook:").filter(|_| pause.account == "*")
}

/// A rest that ends so late ends by a person.
const FOREVER_MS: i64 = 365 * 86_400_000;

impl Hooks {
    pub(super) async fn look(app: &App, config: &Config, resting: Vec<Pause>) -> Result<Hooks> {
        let configured = config.hooks.iter().map(|hook| hook.name.clone()).collect();
        Ok(Hooks { configured, counts: app.store.hook_counts().await?, resting })
    }

    /// The names of those that are configured or still have deliveries.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            self.configured.iter().chain(self.counts.iter().map(|count| &count.hook)).cloned().collect();
        names.sort();
        names.dedup();
        names
    }

    /// How many deliveries are in one of these states, of one hook or of all.
    pub fn count(&self, hook: Option<&str>, states: &[&str]) -> i64 {
        let wanted =
            |count: &&HookCount| hook.is_none_or(|name| name == count.hook) && states.contains(&count.state.as_str());
        self.counts.iter().filter(wanted).map(|count| count.count).sum()
    }

    /// Since when something waits for a hook that is not configured, milliseconds; with its name and how much.
    pub fn orphans(&self) -> impl Iterator<Item = &HookCount> {
        let strange = |count: &&HookCount| !self.configured.contains(&count.hook) && count.state == "pending";
        self.counts.iter().filter(strange)
    }

    pub(super) fn findings(&self, now_ms: i64) -> impl Iterator<Item = Finding> {
        self.ended().into_iter().chain(self.gone(now_ms)).chain(self.rest(now_ms)).chain(self.orphaned(now_ms))
    }

    fn by_hook(&self, states: &[&str]) -> String {
        let of = |hook: &str| Some(self.count(Some(hook), states)).filter(|count| *count > 0);
        self.names().iter().filter_map(|hook| Some(format!("{hook} {}", of(hook)?))).collect::<Vec<_>>().join(", ")
    }

    fn ended(&self) -> Option<Finding> {
        let (failed, unknown) = (self.by_hook(&["failed", "gone"]), self.by_hook(&["unknown"]));
        let size = self.count(None, &["failed", "gone", "unknown"]);
        let (what, next) = match (failed.is_empty(), unknown.is_empty()) {
            (true, true) => return None,
            (false, _) => (
                say!("deliveries to hooks that failed: {failed}"; "投递失败的 hook：{failed}"),
                say!(
                    "wxops events list --hook-failed; when the receiver is mended: wxops events replay --dead --hook NAME";
                    "wxops events list --hook-failed；接收方修复后：wxops events replay --dead --hook 名称"
                ),
            ),
            (true, false) => (
                say!("deliveries to hooks whose outcome is unknown: {unknown}"; "结果未知的 hook 投递：{unknown}"),
                say!("wxops sends unknown"; "wxops sends unknown"),
            ),
        };
        Some(Finding::of_all(Kind::Hooks, size, what, next))
    }

    /// 410: a receiver that wants to hear no more.
    fn gone(&self, now_ms: i64) -> Option<Finding> {
        let gone = self.resting.iter().find(|pause| pause.paused_until - now_ms > FOREVER_MS && self.has(pause))?;
        let (hook, reason) = (hook_of(gone)?, escape(&gone.reason));
        let what = say!(
            "the receiver of hook {hook} is gone ({reason}): nothing is sent to it";
            "hook {hook} 的接收方已不存在（{reason}），已停止投递"
        );
        let next = say!(
            "take the hook out, or mend the receiver, then: wxops events replay --dead --hook {hook}";
            "请删除该 hook，或修复接收方后执行：wxops events replay --dead --hook {hook}"
        );
        Some(Finding::of_all(Kind::HookGone, 0, what, next))
    }

    fn rest(&self, now_ms: i64) -> Option<Finding> {
        let rests = |pause: &&Pause| {
            let ends = pause.paused_until - now_ms;
            self.has(pause) && ends <= FOREVER_MS && ends > -super::finding::PROBED_MS
        };
        let resting: Vec<&Pause> = self.resting.iter().filter(rests).collect();
        let names: Vec<&str> = resting.iter().filter_map(|pause| hook_of(pause)).collect();
        let (names, reason) = (names.join(", "), escape(&resting.first()?.reason));
        let what = say!(
            "hooks whose receiver takes nothing: {names} ({reason})";
            "接收方无法投递的 hook：{names}（{reason}）"
        );
        let next = say!("look at the receiver; what waits is sent when it is well"; "请检查接收方；恢复后会继续投递");
        Some(Finding { patience_ms: REST_MS, ..Finding::of_all(Kind::HookRest, 0, what, next) })
    }

    fn orphaned(&self, now_ms: i64) -> Option<Finding> {
        let orphan = self.orphans().find(|count| now_ms - count.first_due > WAITING_MS)?;
        let (hook, count, waits) = (&orphan.hook, orphan.count, span(now_ms - orphan.first_due));
        let Text { en, zh } = waits;
        let what = say!(
            "{count} deliveries have waited for {en} for hook {hook}, which is not configured";
            "hook {hook} 未配置，{count} 条投递已等待 {zh}"
        );
        let next = say!(
            "configure it again, or leave it: they end after a day";
            "请重新配置；否则一天后这些投递会结束"
        );
        Some(Finding::of_all(Kind::HookOrphan, 0, what, next))
    }

    fn has(&self, pause: &Pause) -> bool {
        hook_of(pause).is_some_and(|name| self.configured.iter().any(|hook| hook == name))
    }
}
