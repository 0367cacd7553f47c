//! Personal data of those who follow, fetched when due by user/info (reference 4.2). An ill channel is
//! paused, with one probe a minute, and costs nobody an attempt.

use super::short;
use super::worker::backoff_ms;
use crate::app::App;
use crate::domain::account::Official;
use crate::erase;
use crate::error::{Error, Result, Then};
use crate::lifecycle;
use crate::platform::errcode;
use crate::platform::wechat::user::{self, UserInfo};
use crate::store::{Due, Profile, Statement};
use chrono::DateTime;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

/// The API, as `channel` names it.
const API: &str = "user/info";
/// How often the table is looked at; a settled subscribe wakes it at once.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// After a settled subscribe and between rounds, so that people who come together are asked for together.
const GATHER: Duration = Duration::from_millis(50);
/// People asked for in a round.
const ROUND: i64 = 200;
/// Calls in flight for one account.
const AT_ONCE: usize = 32;
/// Tries before a person's data is given up, until the next subscribe or a replay.
pub const TRIES: i64 = 8;

/// Fetches for one account until `stop`.
pub async fn enrich(app: Arc<App>, account: Official, due: Arc<Notify>, mut stop: watch::Receiver<bool>) {
    let account = Arc::new(account);
    let mut ill = 0;
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = due.notified() => tokio::time::sleep(GATHER).await,
            () = lifecycle::until(&mut stop) => break,
        }
        while !*stop.borrow() {
            match round(&app, &account, &mut ill).await.map(|round| round.settled) {
                Ok(0) => break,
                // Few were due: those who come meanwhile are asked for together.
                Ok(settled) if settled < ROUND as usize => tokio::time::sleep(GATHER).await,
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, account = account.name, "enrichment found the database away");
                    break;
                }
            }
        }
    }
}

/// What came of a round.
#[derive(Debug, Default)]
pub struct Round {
    /// Rows that were asked for and written.
    pub settled: usize,
    /// Why the channel is paused now: what it answered in this round.
    pub ailing: Option<Error>,
    /// Why nobody may be asked now: what it answered before.
    pub paused: Option<String>,
}

/// One round: takes what is due, asks for each, writes what came. `ill` counts the failures of the channel in a row.
pub async fn round(app: &Arc<App>, account: &Arc<Official>, ill: &mut u32) -> Result<Round> {
    let pause = app.store.paused(&account.name, API).await?;
    let most = match &pause {
        Some(pause) if !app.store.may_probe(pause, app.now_ms()).await? => {
            return Ok(Round { paused: Some(pause.reason.clone()), ..Round::default() });
        }
        Some(_) => 1,
        None => ROUND,
    };
    let rows = app.store.claim_due(&account.name, most, app.now_ms()).await?;
    if rows.is_empty() {
        if let Some(pause) = &pause {
            // Nobody to probe with: the right to probe goes back.
            app.store.pause(&pause.account, &pause.api, &pause.reason, pause.paused_until).await?;
        }
        return Ok(Round::default());
    }
    let mut calls = JoinSet::new();
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    for row in rows {
        let (app, account, at_once) = (app.clone(), account.clone(), at_once.clone());
        calls.spawn(async move {
            let _turn = at_once.acquire_owned().await;
            let told = user::info(&app.client, &*app.tokens, &account, &row.openid).await;
            (row, told)
        });
    }
    let mut writes = Vec::new();
    let mut ailing: Option<Error> = None;
    while let Some(Ok((row, told))) = calls.join_next().await {
        match told {
            Ok(told) => writes.push(known(app, &row, told)),
            Err(error) => match error.then {
                Then::Pause { .. } => {
                    writes.push(vec![app.store.info_postponed(&row)]);
                    ailing = Some(error);
                }
                _ => writes.push(vec![failed(app, &row, &error)]),
            },
        }
    }
    let settled = writes.len();
    write(app, writes).await?;
    match ailing {
        Some(error) => {
            *ill += 1;
            pause_for(app, account, &error, *ill).await?;
            Ok(Round { ailing: Some(error), ..Round::default() })
        }
        None => {
            *ill = 0;
            if pause.is_some() {
                app.store.resume(&account.name, API).await?;
                tracing::info!(account = account.name, api = API, "the channel is well again");
            }
            Ok(Round { settled, ..Round::default() })
        }
    }
}

/// All in one transaction; where one of them is at fault, each alone.
async fn write(app: &App, writes: Vec<Vec<Statement>>) -> Result<()> {
    if app.store.write_people(writes.concat()).await.is_ok() {
        return Ok(());
    }
    for statements in writes {
        app.store.commit(statements).await?;
    }
    Ok(())
}

fn known(app: &App, row: &Due, told: UserInfo) -> Vec<Statement> {
    tracing::debug!(account = row.account, openid = short(&row.openid), follows = told.subscribe, "user/info");
    if !told.subscribe {
        let stores = app.erases().then(|| erase::stores(app));
        return app.store.gone(row, stores.as_ref().map(|stores| erase::beside(app, stores)));
    }
    let profile = Profile {
        unionid: told.unionid,
        nickname: told.nickname,
        avatar_url: told.headimgurl,
        sex: told.sex.map(i64::from),
        city: told.city,
        province: told.province,
        country: told.country,
        language: told.language,
        subscribe_scene: told.subscribe_scene,
        remark: told.remark,
        follow_time: told.subscribe_time.and_then(|s| DateTime::from_timestamp(s, 0)),
    };
    vec![app.store.enrich(row, &profile)]
}

fn failed(app: &App, row: &Due, error: &Error) -> Statement {
    let last = error.then == Then::Never || row.attempts + 1 >= TRIES;
    let due_at = (!last).then(|| app.now_ms() + backoff_ms(row.attempts));
    let openid = short(&row.openid);
    if last {
        tracing::error!(account = row.account, openid, %error, "user/info given up; wxops followers show tells why");
    } else {
        tracing::warn!(account = row.account, openid, %error, "user/info failed, will be tried again");
    }
    app.store.info_failed(row, due_at, &error.to_string())
}

/// How long, `errcode::probing` knows.
async fn pause_for(app: &App, account: &Official, error: &Error, ill: u32) -> Result<()> {
    let Then::Pause { after, whole_account } = error.then else { return Ok(()) };
    let wait = errcode::probing(error.errcode, after).wait(ill);
    let api = if whole_account { "*" } else { API };
    // Want of quota for the token itself stops the whole account: the keeper notes that.
    if !whole_account {
        app.note_refusal(&account.name, API, error).await;
    }
    let until = app.now_ms() + i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2);
    let next = error.next.as_ref().map(|next| next.en.clone()).unwrap_or_default();
    tracing::warn!(account = account.name, api, %error, next, "channel paused for {} s", wait.as_secs());
    app.store.pause(&account.name, api, &error.to_string(), until).await
}
