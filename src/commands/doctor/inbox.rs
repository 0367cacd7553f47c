//! What came in and is not handled, and what rests because WeChat refused it.

use super::Patient;
use super::finding::{Check, Finding};
use crate::commands::time_local;
use crate::error::{Error, Result};
use crate::say;
use crate::store::Store;
use std::sync::Arc;

/// Handlers take milliseconds and failed tries come back within the hour: what is older lies about.
const OLD_MS: i64 = 3_600_000;

pub(super) async fn check(patient: Arc<Patient>) -> Vec<Finding> {
    // Without a database its own check has said so.
    let Some(store) = patient.store().await else { return Vec::new() };
    let mut findings =
        look(&patient, &store).await.unwrap_or_else(|error| vec![Finding::fail(Check::Inbox, None, error)]);
    findings.extend(resting(&patient, &store).await.unwrap_or_default());
    findings
}

async fn look(patient: &Patient, store: &Store) -> Result<Vec<Finding>> {
    let (new, dead, oldest) = store.inbox_counts().await?;
    let mut findings = Vec::new();
    let oldest = oldest.map(|time| time.timestamp_millis()).filter(|time| patient.now_ms() - time > OLD_MS);
    if let Some(oldest) = oldest {
        let since = time_local(oldest);
        let error = Error::failed(say!(
            "callbacks waiting: {new}, the oldest since {since}: nobody handles them";
            "{new} 个回调在等待，最早的自 {since} 起：没有进程在处理"
        ));
        let next = say!(
            "see that wxops serve runs, and its log: journalctl -u wxops";
            "请确认 wxops serve 在运行，并查看日志：journalctl -u wxops"
        );
        findings.push(Finding::fail(Check::Inbox, None, error.next(next)));
    }
    if dead > 0 {
        findings.push(Finding::warn(
            Check::Inbox,
            None,
            say!("dead callbacks: {dead}; they failed 8 times and wait for a person"; "{dead} 个失败的回调：已重试 8 次，等待人工处理"),
            say!(
                "wxops events list --state dead, mend the cause, wxops events replay --dead";
                "wxops events list --state dead，排除原因后 wxops events replay --dead"
            ),
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(
            Check::Inbox,
            None,
            say!("callbacks waiting: {new}, dead: none"; "{new} 个回调在等待，没有失败的"),
        ));
    }
    Ok(findings)
}

/// Channels that are paused now. They are probed without anybody's help; the reason may need a person.
async fn resting(patient: &Patient, store: &Store) -> Result<Vec<Finding>> {
    let pauses = store.pauses().await?.into_iter();
    let ours = pauses.filter(|pause| patient.accounts.iter().any(|account| account.name == pause.account));
    Ok(ours
        .map(|pause| {
            let (api, reason) = (pause.api.as_str(), &pause.reason);
            let until = time_local(pause.paused_until.max(0));
            let what = match api {
                "*" => say!("all calls rest, next probe {until}: {reason}"; "所有调用暂停，下次探测 {until}：{reason}"),
                _ => say!("{api} rests, next probe {until}: {reason}"; "{api} 暂停，下次探测 {until}：{reason}"),
            };
            let next =
                say!("mend what it says; serve probes by itself and goes on"; "请按所述处理；serve 会自行探测并恢复");
            Finding::warn(Check::Channel, Some(&pause.account), what, next)
        })
        .collect())
}
