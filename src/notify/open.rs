//! Everything that a pass needs, opened once: the application, the rules and templates, the queue's database.

use super::book::Book;
use super::channel::Channels;
use super::pass::Notifier;
use crate::app::App;
use crate::config::{Capture, Config};
use crate::domain::account::WeCom;
use crate::domain::notice::Recipient;
use crate::error::{Error, Result};
use crate::say;
use crate::store::queue::QueueDb;
use crate::tokens::this_process;
use std::sync::Arc;

impl Notifier {
    /// Opens it. Errors: 78 where the application, a rule or a template is wrong, or the queue is not installed; 69 where its
    /// database is away.
    pub async fn open(app: Arc<App>, config: &Config) -> Result<Arc<Notifier>> {
        let config = &of_the_sender(config)?;
        let wecom = wecom(config)?.clone();
        let book = Book::open(config)?;
        let db = database(&app, config).await?;
        let drain = db.drain(&this_process()).await?;
        let channels = Channels::of(app, &wecom);
        let source = (config.queue.capture == Capture::Poll).then(|| config.queue.source());
        Ok(Arc::new(Notifier { db, book, channels, drain, source }))
    }
}

/// The queue's database: our own, or the CRM's; 78 where the queue is not installed there.
pub async fn database(app: &App, config: &Config) -> Result<QueueDb> {
    let db = app.queue_db(config).await?;
    match db.is_installed().await.map_err(|error| db.named(error))? {
        true => Ok(db),
        false => {
            let place = db.place();
            Err(Error::config(say!(
                "there is no notification queue at {place}";
                "{place} 中没有通知队列"
            ))
            .next(say!("make it: wxops queue install"; "请先运行：wxops queue install")))
        }
    }
}

/// The configuration with the application that sends as the queue's: `--account` may name another than `[queue]` does.
pub(super) fn of_the_sender(config: &Config) -> Result<Config> {
    let app = wecom(config)?;
    let mut config = config.clone();
    if config.queue.account.as_ref() != Some(&app.name) {
        config.queue.account = Some(app.name.clone());
        config.queue.to = app.to_user.as_deref().map_or(Ok(Vec::new()), Recipient::list)?;
    }
    Ok(config)
}

/// The WeCom application whose messages tell of members: the one that is named, or the only one.
pub fn wecom(config: &Config) -> Result<&WeCom> {
    match (config.account.as_deref().or(config.queue.account.as_deref()), config.wecoms.as_slice()) {
        (Some(name), all) => all.iter().find(|app| app.name == name).ok_or_else(|| no_such(config, name)),
        (None, [only]) => Ok(only),
        (None, []) => Err(none()),
        (None, all) => {
            let known = all.iter().map(|app| app.name.as_str()).collect::<Vec<_>>().join(", ");
            Err(Error::config(say!("several WeCom applications: {known}"; "有多个企业微信应用：{known}"))
                .next(say!("give --account NAME"; "请用 --account 指定")))
        }
    }
}

fn no_such(config: &Config, name: &str) -> Error {
    let known = config.wecoms.iter().map(|app| app.name.as_str()).collect::<Vec<_>>().join(", ");
    match config.wecoms.is_empty() {
        true => none(),
        false => Error::usage(say!(
            "there is no WeCom application {name:?}; there is {known}";
            "没有名为 {name:?} 的企业微信应用；现有 {known}"
        )),
    }
}

fn none() -> Error {
    Error::config(say!("no WeCom application is configured"; "没有配置企业微信应用")).next(say!(
        "set WECOM_CORP_ID, WECOM_AGENT_ID and WECOM_SECRET, or [wecom.NAME] in wxops.toml";
        "请设置 WECOM_CORP_ID、WECOM_AGENT_ID、WECOM_SECRET，或 wxops.toml 中的 [wecom.NAME]"
    ))
}
