//! Where callbacks go while the database is away: whether they can, and what lies there.

use super::Patient;
use super::finding::{Check, Finding};
use crate::app::{spool_place, spool_settings};
use crate::commands::bytes;
use crate::commands::time_local;
use crate::error::{Error, Text};
use crate::report::escape;
use crate::say;
use crate::spool::{Settings, Survey, Surveyor};
use rustix::fs::{Access, access};
use std::path::Path;
use std::sync::Arc;

/// What is older is not about to move in: that takes seconds once the database is back, milliseconds.
const OLD_MS: i64 = 2 * 60_000;

pub(super) async fn check(patient: Arc<Patient>) -> Vec<Finding> {
    let Some(settings) = spool_settings(&patient.config) else {
        return vec![Finding::ok(Check::Spool, None, off())];
    };
    let folder = settings.folder().display();
    let mut findings = match settings.is_off_for_memory() {
        Err(error) => return vec![Finding::fail(Check::Spool, None, error)],
        Ok(true) => vec![Finding::warn(
            Check::Spool,
            None,
            say!(
                "off: {folder} is in memory; while the database is away callbacks are refused";
                "未启用：{folder} 位于内存；数据库不可用期间回调会被拒绝"
            ),
            say!("set WXOPS_SPOOL_DIR to a folder on a disk"; "请将 WXOPS_SPOOL_DIR 设为磁盘上的目录"),
        )],
        Ok(false) => vec![here(&patient, &settings)],
    };
    let Some(store) = patient.store().await else { return findings };
    let here = spool_place(Some(&settings));
    for (row, seen_ago_ms) in store.spools().await.unwrap_or_default() {
        if row.place == here || (row.events == 0 && row.set_aside == 0) {
            continue;
        }
        let (place, events, files) = (escape(&row.place), row.events, row.set_aside);
        let seen = time_local(patient.now_ms() - seen_ago_ms);
        findings.push(Finding::warn(
            Check::Spool,
            None,
            say!(
                "{place}: {events} callbacks wait, {files} files set aside (seen {seen})";
                "{place}：{events} 条回调等待入库，{files} 个文件搁置（{seen} 所见）"
            ),
            say!("see that wxops serve runs on that host"; "请确认该主机上的 wxops serve 在运行"),
        ));
    }
    findings
}

fn off() -> Text {
    say!(
        "switched off: while the database is away callbacks are refused";
        "已关闭：数据库不可用期间回调会被拒绝"
    )
}

fn here(patient: &Patient, settings: &Settings) -> Finding {
    let folder = settings.folder();
    let survey = match Surveyor::default().look(folder) {
        Ok(survey) => survey,
        Err(error) => return unwritable(folder, &error.to_string()),
    };
    if let Err(error) = access(existing(folder), Access::WRITE_OK | Access::EXEC_OK) {
        return unwritable(folder, &error.to_string());
    }
    lying(patient, settings, &survey).unwrap_or_else(|| {
        let (shown, room) = (folder.display(), bytes::bytes(settings.max));
        Finding::ok(Check::Spool, None, say!("{shown} is empty, room for {room}"; "{shown} 为空，可用 {room}"))
    })
}

/// What lies there, and is worth a word.
fn lying(patient: &Patient, settings: &Settings, survey: &Survey) -> Option<Finding> {
    let (folder, files, events) = (settings.folder().display(), survey.set_aside, survey.events);
    if files > 0 {
        return Some(Finding::warn(
            Check::Spool,
            None,
            say!(
                "{folder}: {files} files are set aside: the database refused what is in *.refused, *.broken can't be read";
                "{folder}：有 {files} 个搁置的文件：*.refused 被数据库拒绝，*.broken 无法读取"
            ),
            say!(
                "the log of serve says why; mend it, rename *.refused to *.spool to try again, delete what is of no use";
                "原因见 serve 的日志；修复后将 *.refused 改名为 *.spool 即可重试，无用的请删除"
            ),
        ));
    }
    let oldest = survey.oldest_ms?;
    let (since, taken) = (time_local(oldest), bytes::bytes(survey.bytes));
    let what = say!(
        "{folder}: {events} callbacks wait for the database since {since}, {taken}";
        "{folder}：{events} 条回调自 {since} 起等待入库，共 {taken}"
    );
    let next = say!(
        "mend the database, and see that wxops serve runs: it moves them in by itself";
        "请修复数据库，并确认 wxops serve 在运行：它会自动入库"
    );
    if survey.bytes >= settings.max {
        let full = say!("spool_max is reached"; "已达到 spool_max");
        let (what_en, what_zh, en, zh) = (what.en, what.zh, full.en, full.zh);
        let full = Error::failed(say!("{what_en}; {en}: callbacks are refused"; "{what_zh}；{zh}：回调被拒绝"));
        return Some(Finding::fail(Check::Spool, None, full.next(next)));
    }
    Some(match patient.now_ms() - oldest > OLD_MS {
        true => Finding::fail(Check::Spool, None, Error::failed(what).next(next)),
        false => Finding::warn(Check::Spool, None, what, next),
    })
}

fn unwritable(folder: &Path, why: &str) -> Finding {
    let folder = folder.display();
    Finding::warn(
        Check::Spool,
        None,
        say!("{folder} can't be used by this user: {why}"; "当前用户无法使用 {folder}：{why}"),
        say!(
            "give it to the user who runs wxops serve, or set WXOPS_SPOOL_DIR; run doctor as that user";
            "请授权给运行 wxops serve 的用户，或设置 WXOPS_SPOOL_DIR；并以该用户运行 doctor"
        ),
    )
}

/// The folder, or the one that it will be made in.
fn existing(folder: &Path) -> &Path {
    let there = folder.ancestors().find(|path| path.exists());
    there.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
