//! The notification queue: its database, what has drifted since it was installed, its clock, its rules and templates, what
//! waits or was given up. Nothing is sent and nothing written.

use super::Patient;
use super::finding::{Check, Finding};
use crate::alarm::{Kind, QueueState};
use crate::config::{Capture, Config};
use crate::domain::account::WeCom;
use crate::error::{Error, Result};
use crate::notify::Book;
use crate::say;
use crate::store::queue::{QueueDb, Wish};
use std::sync::Arc;

/// Two clocks that differ by so much are worth a word, milliseconds.
const WORTH_A_WORD_MS: i64 = 60_000;

pub(super) async fn check(patient: Arc<Patient>) -> Vec<Finding> {
    let config = &patient.config;
    if !config.sends() {
        return Vec::new();
    }
    let mut findings: Vec<Finding> = config.wecoms.iter().filter_map(odd_key).collect();
    match open(&patient).await {
        Ok(Some(db)) => match look(&patient, &db).await {
            Ok(found) => findings.extend(found),
            Err(error) => findings.push(Finding::fail(Check::Queue, None, db.named(error))),
        },
        Ok(None) => {}
        Err(error) => findings.push(Finding::fail(Check::Queue, None, error)),
    }
    findings
}

/// The queue's database. `None`: it is our own, and its own check has said what is wrong.
async fn open(patient: &Patient) -> Result<Option<QueueDb>> {
    let config = &patient.config;
    match &config.queue.database_url {
        Some(url) if url.reveal() != config.database_url.reveal() => QueueDb::open(url, false).await.map(Some),
        _ => Ok(patient.store().await.map(|store| QueueDb::over(store, &config.database_url))),
    }
}

async fn look(patient: &Patient, db: &QueueDb) -> Result<Vec<Finding>> {
    let config = &patient.config;
    if !db.is_installed().await? {
        return Ok(not_installed(config, db.place()).into_iter().collect());
    }
    let mut findings: Vec<Finding> =
        Book::open(config).err().map(|error| Finding::fail(Check::Queue, None, error)).into_iter().collect();
    findings.extend(drifted(config, db).await?);
    findings.extend(clock(patient, db).await?);
    let watch = db.watch_queue().await?;
    let pending = watch.pending;
    findings.extend(QueueState::of(watch, config, Vec::new()).findings().map(told));
    if findings.is_empty() {
        let place = db.place();
        let well = say!(
            "{place}: stands as configured, pending {pending}, none given up within a day";
            "{place}：与配置一致，待发送 {pending}，一天内没有放弃的"
        );
        findings.push(Finding::ok(Check::Queue, None, well));
    }
    Ok(findings)
}

/// Whoever has an application for its callbacks or its token alone needs no queue.
fn not_installed(config: &Config, place: &str) -> Option<Finding> {
    let queue = &config.queue;
    let wanted = queue.database_url.is_some() || !queue.to.is_empty() || !queue.rules.is_empty() || queue.in_serve;
    let what = say!(
        "recipients are configured, and there is no notification queue at {place}";
        "已配置通知接收人，但 {place} 中没有通知队列"
    );
    let next = say!("make it: wxops queue install"; "请运行：wxops queue install");
    wanted.then(|| Finding::warn(Check::Queue, None, what, next))
}

async fn drifted(config: &Config, db: &QueueDb) -> Result<Vec<Finding>> {
    let source = config.queue.source();
    let by_trigger = config.queue.capture == Capture::Trigger;
    let checked = db.check(&Wish { source: &source, by_trigger, definer: None, demo: false }).await?;
    let fail = |drift: crate::store::queue::Drift| {
        Finding::fail(Check::Queue, None, Error::failed(drift.what).next(drift.mend))
    };
    Ok(checked.drifts.into_iter().map(fail).collect())
}

/// The queue goes by the database's clock, pauses and logs by this machine's.
async fn clock(patient: &Patient, db: &QueueDb) -> Result<Option<Finding>> {
    let ahead = db.clock_ahead_ms(|| patient.now_ms()).await?.unwrap_or(0);
    let (by, place) = (ahead.abs() / 1000, db.place());
    let what = match ahead > 0 {
        true => say!("the clock of {place} is {by} s ahead of this machine's"; "{place} 的时钟比本机快 {by} 秒"),
        false => say!("the clock of {place} is {by} s behind this machine's"; "{place} 的时钟比本机慢 {by} 秒"),
    };
    let next = say!("timedatectl set-ntp true, on both"; "请在两台主机上运行 timedatectl set-ntp true");
    Ok((ahead.abs() > WORTH_A_WORD_MS).then(|| Finding::warn(Check::Queue, None, what, next)))
}

/// What is given up needs a person, and is not what keeps others from being sent.
fn told(finding: crate::alarm::Finding) -> Finding {
    match finding.kind {
        Kind::QueueDead => Finding::warn(Check::Queue, None, finding.what, finding.next),
        _ => Finding::fail(Check::Queue, None, Error::failed(finding.what).next(finding.next)),
    }
}

/// A robot's key has the shape of a UUID (WeCom reference 4); the key itself is not shown.
fn odd_key(wecom: &WeCom) -> Option<Finding> {
    let key = wecom.webhook_key.as_ref()?;
    let hex = |part: &str, letters: usize| part.len() == letters && part.bytes().all(|c| c.is_ascii_hexdigit());
    let parts: Vec<&str> = key.reveal().split('-').collect();
    let shaped = parts.len() == 5 && parts.iter().zip([8, 4, 4, 4, 12]).all(|(part, letters)| hex(part, letters));
    (!shaped).then(|| {
        Finding::warn(
            Check::Queue,
            Some(&wecom.name),
            say!("webhook_key does not look like a robot's: those are 36 letters, in five groups"; "webhook_key 不像机器人的 key：应为 36 个字符，分五组"),
            say!("copy what follows key= in the robot's webhook address"; "请复制机器人 Webhook 地址中 key= 之后的部分"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::{Access, Platform};
    use crate::domain::secret::Secret;

    #[test]
    fn a_robots_key_is_known_by_its_shape() {
        let odd = |key: &str| {
            let access = Access::new(Platform::WeCom, "crm", "ww1", crate::config::WECOM_PLATFORM);
            let webhook_key = Some(Secret::new(key));
            let wecom = WeCom { access, tokens: vec![], aes_keys: vec![], to_user: None, webhook_key };
            odd_key(&wecom).map(|finding| format!("{finding:?}"))
        };
        assert!(odd("693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa").is_some_and(|told| !told.contains("693a91f6")));
        assert!(odd("693a91f6-7abc-4bc4-97a0-0ec2dffa5aaa").is_none());
        assert!(odd("693a91f6").is_some());
    }
}
