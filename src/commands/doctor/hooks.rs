//! Whether hooks can be told, and what they were not told. Nothing is sent to them.

use super::Patient;
use super::finding::{Check, Finding};
use crate::alarm::hook_of;
use crate::domain::hook::{Hook, Target};
use crate::error::{Error, Result};
use crate::say;
use crate::store::Store;
use rustix::fs::{Access, access};
use std::path::Path;
use std::sync::Arc;

pub(super) async fn check(patient: Arc<Patient>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = patient.config.hooks.iter().filter_map(command).collect();
    if let Some(store) = patient.store().await {
        findings.extend(
            look(&patient, &store).await.unwrap_or_else(|error| vec![Finding::fail(Check::Hooks, None, error)]),
        );
    }
    if findings.is_empty() && !patient.config.hooks.is_empty() {
        let count = patient.config.hooks.len();
        findings.push(Finding::ok(
            Check::Hooks,
            None,
            say!("{count} configured, all told"; "已配置 {count} 个，均投递正常"),
        ));
    }
    findings
}

/// A program that can't be started, by whoever runs this; `serve` may be another.
fn command(hook: &Hook) -> Option<Finding> {
    let Target::Command(words) = &hook.to else { return None };
    let (name, program) = (&hook.name, words.first()?);
    let path = Path::new(program);
    let what = match path.metadata() {
        Err(error) => say!("hook {name}: {program}: {error}"; "hook {name}：{program}：{error}"),
        Ok(meta) if !meta.is_file() => say!("hook {name}: {program} is no file"; "hook {name}：{program} 不是文件"),
        Ok(_) if access(path, Access::EXEC_OK).is_err() => {
            say!("hook {name}: {program} can't be executed"; "hook {name}：{program} 不可执行")
        }
        Ok(_) => return None,
    };
    let next =
        say!("chmod +x {program}, or mend command in [[hook]]"; "请 chmod +x {program}，或修改 [[hook]] 中的 command");
    Some(Finding::fail(Check::Hooks, None, Error::config(what).next(next)))
}

async fn look(patient: &Patient, store: &Store) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for pause in store.pauses().await? {
        let Some(hook) = hook_of(&pause).filter(|name| patient.config.hooks.iter().any(|hook| hook.name == *name))
        else {
            continue;
        };
        let reason = &pause.reason;
        findings.push(Finding::warn(
            Check::Hooks,
            None,
            say!("hook {hook} rests: {reason}"; "hook {hook} 暂停投递：{reason}"),
            say!(
                "look at its receiver; wxops events replay ID --hook {hook} tries at once";
                "请检查其接收方；wxops events replay 编号 --hook {hook} 可立即重试"
            ),
        ));
    }
    for count in store.hook_counts().await? {
        let (hook, number) = (&count.hook, count.count);
        let known = patient.config.hooks.iter().any(|known| known.name == *hook);
        findings.push(match count.state.as_str() {
            "failed" | "gone" => Finding::warn(
                Check::Hooks,
                None,
                say!("hook {hook}: {number} deliveries failed"; "hook {hook}：{number} 条投递失败"),
                say!(
                    "wxops events list --hook-failed; then wxops events replay --dead --hook {hook}";
                    "wxops events list --hook-failed；然后 wxops events replay --dead --hook {hook}"
                ),
            ),
            "unknown" => Finding::warn(
                Check::Hooks,
                None,
                say!("hook {hook}: {number} deliveries whose outcome is unknown"; "hook {hook}：{number} 条投递结果未知"),
                say!("wxops sends unknown"; "wxops sends unknown"),
            ),
            "pending" if !known => Finding::warn(
                Check::Hooks,
                None,
                say!("hook {hook} is not configured, {number} deliveries wait for it"; "hook {hook} 未配置，有 {number} 条投递在等待"),
                say!("configure it again, or leave it: they end after a day"; "请重新配置；否则一天后这些投递会结束"),
            ),
            _ => continue,
        });
    }
    Ok(findings)
}
