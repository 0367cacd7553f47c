//! The two walks: along WeChat's list, and along the table. Whoever stands in one of them alone is asked about.

use super::{AT_ONCE, Repaired};
use crate::app::App;
use crate::commands::pace::Pace;
use crate::domain::account::Official;
use crate::error::{Error, Kind, Result};
use crate::job::Stop;
use crate::platform::wechat::user::{self, Page};
use crate::report::Progress;
use crate::say;
use crate::store::{Asked, Seen};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rows of the table looked at together.
const ROWS: i64 = 1_000;
/// Tries of a page: reading it again does no harm.
const TRIES: u32 = 4;
/// The pause after the first try, doubled after each.
const PAUSE: Duration = Duration::from_millis(500);

/// A comparison under way.
pub(super) struct Walk<'a> {
    app: &'a Arc<App>,
    account: &'a Official,
    began: DateTime<Utc>,
    seen: Seen,
    pace: Pace,
}

impl<'a> Walk<'a> {
    /// Begins now: what an event changes from here on is left alone.
    pub fn new(app: &'a Arc<App>, account: &'a Official) -> Result<Self> {
        let began = now(app);
        Ok(Walk { app, account, began, seen: Seen::new()?, pace: Pace::new() })
    }

    /// When it began.
    pub fn began(&self) -> DateTime<Utc> {
        self.began
    }

    /// Who is asked about.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Along the list: who is not known as following gets their row. Memory holds one page of it.
    pub async fn listed(&mut self, done: &mut Repaired, progress: &mut Progress, stop: &Stop) -> Result<()> {
        done.known = self.app.store.following(&self.account.name).await?;
        let mut after: Option<String> = None;
        loop {
            let page = self.page(after.as_deref()).await?;
            done.in_list(page.total);
            if page.openids.is_empty() {
                return Ok(());
            }
            let fresh = self.seen.add(&page.openids)?;
            if fresh == 0 {
                return Err(Error::failed(say!(
                    "user/get: a page told nobody new; the list goes in circles";
                    "user/get：某一页没有新的用户，列表在循环"
                )));
            }
            done.listed += fresh as u64;
            for people in page.openids.chunks(AT_ONCE) {
                if stop.asked() {
                    return Ok(());
                }
                self.compare(people, done).await?;
            }
            let (listed, part) = (done.listed, done.listed as f64 / page.total.max(1) as f64);
            progress
                .tell(part.min(1.0) * 0.5, || say!("{listed} people of the list compared"; "已比对列表中 {listed} 人"));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn compare(&mut self, people: &[String], done: &mut Repaired) -> Result<()> {
        let (store, account) = (&self.app.store, self.account.name.as_str());
        let known = store.known_following(account, people).await?;
        // In order, so that two who write lock the rows in one order.
        let mut missing: BTreeSet<&String> = people.iter().collect();
        for row in &known {
            missing.remove(&row.openid);
        }
        done.unknown += missing.len() as u64;
        let missing: Vec<String> = missing.into_iter().cloned().collect();
        let mut rest = &missing[..];
        while !rest.is_empty() && !done.dry_run {
            let (few, more) = rest.split_at(self.pace.rows().min(rest.len()));
            rest = more;
            let start = Instant::now();
            store.listed(account, few, self.began, now(self.app)).await?;
            let pause = self.pace.after(start.elapsed());
            let rows = store.known_following(account, few).await?;
            let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
            self.seen.ask(&ids, Asked::Listed)?;
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    /// Along the table: whoever follows there and stands in no page is asked about.
    pub async fn unlisted(&mut self, done: &mut Repaired, progress: &mut Progress, stop: &Stop) -> Result<()> {
        let (store, account) = (&self.app.store, self.account.name.as_str());
        let mut after = 0;
        while !stop.asked() {
            let rows = store.following_after(account, after, self.began, ROWS).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            let mut ids = Vec::new();
            for row in &rows {
                if !self.seen.has(&row.openid)? {
                    ids.push(row.id);
                }
            }
            done.unlisted += ids.len() as u64;
            let mut rest = &ids[..];
            while !rest.is_empty() && !done.dry_run {
                let (few, more) = rest.split_at(self.pace.rows().min(rest.len()));
                rest = more;
                let start = Instant::now();
                store.unlisted(few, self.began, now(self.app)).await?;
                let pause = self.pace.after(start.elapsed());
                self.seen.ask(few, Asked::Unlisted)?;
                tokio::time::sleep(pause).await;
            }
            let unlisted = done.unlisted;
            progress.tell(0.5, || say!("{unlisted} people are not in the list"; "{unlisted} 人不在列表中"));
        }
        Ok(())
    }

    /// A page; what may be over in a moment is tried again.
    async fn page(&self, after: Option<&str>) -> Result<Page> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match user::list(&self.app.client, &*self.app.tokens, self.account, after).await {
                Err(error) if error.kind == Kind::Unavailable && error.errcode != Some(45009) => {
                    tracing::debug!(account = self.account.name, %error, "a page of followers is asked for again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(error) => {
                    self.app.note_refusal(&self.account.name, "user/get", &error).await;
                    return Err(error);
                }
                page => return page,
            }
        }
        user::list(&self.app.client, &*self.app.tokens, self.account, after).await
    }
}

fn now(app: &App) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(app.now_ms()).unwrap_or_default()
}
