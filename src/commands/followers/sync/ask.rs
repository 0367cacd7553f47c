//! The calls of a sync: each is tried again where that helps, and a batch that one person spoils is halved until that
//! person is found.

use super::limit::Limit;
use crate::app::App;
use crate::domain::account::Official;
use crate::error::{Kind, Result};
use crate::events::short;
use crate::platform::wechat::user::{self, Batch, Page, UserInfo};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Tries of a call whose answer got lost or is not the platform's (reference 9, transport).
const TRIES: u32 = 3;
/// Tries while the platform says that it is busy (-1) or asked too often (45011): about two minutes.
const BUSY_TRIES: u32 = 9;
/// The pause after the first try, doubled after each, and the longest.
const PAUSE: Duration = Duration::from_millis(300);
const LONGEST: Duration = Duration::from_secs(30);
/// What a batch is refused with because of a person in it: no openid of this account; empty or doubled ones.
const SPOILT: [i64; 2] = [40003, 40032];

/// Who asks the platform.
#[derive(Clone)]
pub(super) struct Asker {
    pub app: Arc<App>,
    pub account: Arc<Official>,
    limit: Arc<Limit>,
    calls: Arc<AtomicU64>,
}

/// What was told of the people of a batch.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub told: Vec<UserInfo>,
    /// Who could not be asked about, and why.
    pub failed: Vec<(String, Option<i64>)>,
}

impl Asker {
    /// With so many calls in flight at the most.
    pub fn new(app: &Arc<App>, account: &Arc<Official>, concurrency: u32) -> Self {
        let (app, account) = (app.clone(), account.clone());
        Asker { app, account, limit: Arc::new(Limit::new(concurrency)), calls: Arc::default() }
    }

    /// Calls so far, repeated ones included.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// A page of the list behind an openid.
    pub async fn page(&self, after: Option<&str>) -> Result<Page> {
        let mut tries = Tries::default();
        loop {
            let turn = self.limit.turn().await;
            let told = user::list(&self.app.client, &*self.app.tokens, &self.account, after).await;
            drop(turn);
            match self.heard("user/get", told, &mut tries).await? {
                Some(page) => return Ok(page),
                None => continue,
            }
        }
    }

    /// What the platform tells of these people, each once. An error is one that ends the sync.
    pub async fn people(&self, openids: Vec<String>) -> Result<Answer> {
        let mut answer = Answer::default();
        let mut missing = Vec::new();
        self.halves(openids, &mut answer, &mut missing).await?;
        // Whom an answer leaves out is asked about once more.
        let again = std::mem::take(&mut missing);
        if !again.is_empty() {
            self.halves(again, &mut answer, &mut missing).await?;
        }
        answer.failed.extend(missing.into_iter().map(|openid| (openid, None)));
        for (openid, errcode) in &answer.failed {
            let (account, openid) = (self.account.name.as_str(), short(openid));
            tracing::warn!(account, openid, errcode, "user/info/batchget tells nothing of this person");
        }
        Ok(answer)
    }

    async fn halves(&self, openids: Vec<String>, answer: &mut Answer, missing: &mut Vec<String>) -> Result<()> {
        let mut open = vec![openids];
        while let Some(mut openids) = open.pop() {
            match self.batch(&openids).await {
                Ok(batch) => {
                    answer.told.extend(batch.told);
                    missing.extend(batch.missing);
                }
                Err(error) if error.errcode.is_some_and(|code| SPOILT.contains(&code)) => {
                    if openids.len() == 1 {
                        answer.failed.extend(openids.pop().map(|openid| (openid, error.errcode)));
                        continue;
                    }
                    let rest = openids.split_off(openids.len() / 2);
                    open.extend([rest, openids]);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn batch(&self, openids: &[String]) -> Result<Batch> {
        let mut tries = Tries::default();
        loop {
            let turn = self.limit.turn().await;
            let told = user::batchget(&self.app.client, &*self.app.tokens, &self.account, openids).await;
            drop(turn);
            match self.heard("user/info/batchget", told, &mut tries).await? {
                Some(batch) => return Ok(batch),
                None => continue,
            }
        }
    }

    /// What a call told; `None`, after a pause: it is to be tried again.
    async fn heard<T>(&self, api: &str, told: Result<T>, tries: &mut Tries) -> Result<Option<T>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let error = match told {
            Ok(told) => {
                self.limit.grow();
                return Ok(Some(told));
            }
            Err(error) => error,
        };
        let left = if matches!(error.errcode, Some(-1 | 45011)) {
            self.limit.halve();
            tries.busy += 1;
            tries.busy < BUSY_TRIES
        } else {
            tries.broken += 1;
            error.kind == Kind::Unavailable && error.errcode.is_none() && tries.broken < TRIES
        };
        if !left {
            self.app.note_refusal(&self.account.name, api, &error).await;
            return Err(error);
        }
        tracing::debug!(account = self.account.name, %error, "asked again");
        tokio::time::sleep(pause(tries.busy + tries.broken)).await;
        Ok(None)
    }
}

/// How often a call failed.
#[derive(Debug, Default)]
struct Tries {
    /// The platform said that it is busy.
    busy: u32,
    /// No answer of the platform's came.
    broken: u32,
}

/// Drawn, so that calls that failed together do not come together again.
fn pause(tries: u32) -> Duration {
    let longest = PAUSE.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST);
    longest.mul_f64(rand::random_range(0.5..=1.0))
}
