//! The database: there, its schema this program's, its data of this installation, its disk not full.

use super::Patient;
use super::finding::{Check, Finding};
use crate::error::{Error, Result};
use crate::say;
use crate::store::{Options, Store, Zone, is_same};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// Free room below which a warning is due, and below which callbacks are soon refused.
const TIGHT: u64 = 1 << 30;
const FULL: u64 = 128 << 20;
const MIB: u64 = 1 << 20;

/// Opens it, tells the other checks, and looks at it.
pub(super) async fn check(patient: Arc<Patient>, opened: watch::Sender<Option<Option<Store>>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let store = match open(&patient).await {
        Ok(store) => Some(store),
        Err(error) => {
            findings.push(Finding::fail(Check::Database, None, error));
            None
        }
    };
    if let Some(store) = &store {
        match look(&patient, store).await {
            Ok(found) => findings.extend(found),
            Err(error) => {
                findings.push(Finding::fail(Check::Database, None, error));
                opened.send_replace(Some(None));
                return findings;
            }
        }
    }
    opened.send_replace(Some(store));
    findings
}

/// Never makes a file: a doctor in the wrong folder should say so.
async fn open(patient: &Patient) -> Result<Store> {
    let url = &patient.config.database_url;
    if let Some(file) = Store::sqlite_path(url)?
        && !file.exists()
    {
        let file = file.display();
        return Err(Error::config(say!("there is no database at {file}"; "{file} 处没有数据库")).next(say!(
            "wxops init makes it, and wxops serve; or set DATABASE_URL";
            "wxops init 或 wxops serve 会创建它；或设置 DATABASE_URL"
        )));
    }
    let zone = patient.config.user_mapping_timezone.map(Zone::from);
    Store::open(url, Options { zone, ..Options::default() }).await
}

async fn look(patient: &Patient, store: &Store) -> Result<Vec<Finding>> {
    store.check_schema().await?;
    let mut findings = Vec::new();
    if let Some(mark) = store.stored_mark().await?
        && patient.config.accesses().next().is_some()
        && mark != patient.config.mark()
    {
        // The very words with which serve would refuse it.
        store.installation(patient.config.mark()).await?;
    }
    let entered = store.entered_accounts().await?;
    for account in patient.config.accesses() {
        let identity = account.identity();
        if entered.iter().any(|(name, stands)| *name == account.name && !is_same(stands, &identity)) {
            store.enter_account(&account.name, account.platform.as_str(), &identity).await?;
        }
    }
    let (server, version) = (store.server().await?, store.schema().await?.files.iter().map(|file| file.version).max());
    let version = version.unwrap_or_default();
    let place = store.file().map(|file| format!(" ({})", file.display())).unwrap_or_default();
    findings.push(Finding::ok(
        Check::Database,
        None,
        say!("{server}{place}, schema {version} is current"; "{server}{place}，结构版本 {version}，为最新"),
    ));
    findings.extend(taken_over(store).await?);
    for warning in store.warnings().await? {
        let mend = say!(
            "SET GLOBAL innodb_flush_log_at_trx_commit = 1, and in my.cnf";
            "SET GLOBAL innodb_flush_log_at_trx_commit = 1，并写入 my.cnf"
        );
        findings.push(Finding::warn(Check::Database, None, warning, mend));
    }
    if let Some(file) = store.file() {
        findings.extend(open_to_others(file));
        findings.extend(room(file));
    }
    Ok(findings)
}

/// A user_mapping that another program writes too, and whether its times can be what they are said to be.
async fn taken_over(store: &Store) -> Result<Vec<Finding>> {
    let Some(offset) = store.taken_over().await? else { return Ok(Vec::new()) };
    let stands = say!(
        "user_mapping was taken over, its times are at {offset}";
        "user_mapping 已接管，其时间偏移为 {offset}"
    );
    let mut findings = vec![Finding::ok(Check::Database, None, stands)];
    if let Some(seconds) = store.times_ahead().await? {
        let minutes = seconds / 60;
        findings.push(Finding::warn(
            Check::Database,
            None,
            say!(
                "the newest time in user_mapping lies {minutes} min in the future: another program writes it at another offset than {offset}, or its clock is wrong";
                "user_mapping 中最新的时间在未来 {minutes} 分钟：其他程序写入时的偏移不是 {offset}，或其时钟有误"
            ),
            say!(
                "compare SELECT MAX(updated_at) FROM user_mapping with that program's clock; then mend user_mapping_timezone and run: wxops db migrate --adopt";
                "请将 SELECT MAX(updated_at) FROM user_mapping 与该程序的时钟对照；然后修正 user_mapping_timezone 并运行：wxops db migrate --adopt"
            ),
        ));
    }
    Ok(findings)
}

fn open_to_others(file: &Path) -> Option<Finding> {
    let mode = file.metadata().ok()?.permissions().mode() & 0o777;
    let shown = file.display();
    (mode & 0o077 != 0).then(|| {
        Finding::warn(
            Check::Database,
            None,
            say!(
                "{shown} has mode {mode:04o}: it holds access_tokens and personal data";
                "{shown} 的权限为 {mode:04o}：其中有 access_token 与个人信息"
            ),
            say!("chmod 600 {shown}*"; "chmod 600 {shown}*"),
        )
    })
}

/// Room on the disk of a SQLite file.
fn room(file: &Path) -> Option<Finding> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let disk = rustix::fs::statvfs(folder).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let (shown, mib) = (folder.display(), free / MIB);
    let what = say!("{mib} MiB free in {shown}"; "{shown} 剩余 {mib} MiB");
    let mend = say!("make room: nothing is purged by itself"; "请清理空间：程序不会自行清除数据");
    Some(match free {
        ..FULL => Finding::fail(Check::Disk, None, Error::failed(what).next(mend)),
        FULL..TIGHT => Finding::warn(Check::Disk, None, what, mend),
        TIGHT.. => Finding::ok(Check::Disk, None, what),
    })
}
