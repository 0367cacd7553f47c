//! The way along WeChat's list: the next page is fetched while the people of this one are asked about, batches of 100
//! in flight side by side. Memory holds two pages and what is in flight, however long the list is.

use super::ask::{Answer, Asker};
use super::place::{Phase, Place};
use super::write::{Shared, ToWrite, WAITING, Writing, locked};
use crate::error::{Error, Result};
use crate::job::Run;
use crate::platform::wechat::user::{BATCH, Page, UserInfo};
use crate::report::Progress;
use crate::say;
use crate::store::{Listed, Profile, Syncing};
use chrono::DateTime;
use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

/// Rows looked at together.
const ROWS: usize = 500;
/// How often it is looked whether the run is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// After a failure: how long the answers are waited for that are on their way.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// The list, and where on it the sync is.
pub(super) struct List<'a> {
    pub asker: &'a Asker,
    pub syncing: &'a Syncing,
    pub place: Place,
    pub concurrency: usize,
    /// Only whom too little is known of is asked about.
    pub only_missing: bool,
    /// A run was killed here: some of the next people are done.
    pub resumed: bool,
    /// Cursors that were given: one that comes again leads in a circle.
    cursors: HashSet<String>,
    /// Who stood in the page before: pages may overlap.
    last: HashSet<u64>,
    hash: RandomState,
}

/// Batches of the pages that are listed, in order.
type Batches = VecDeque<(u64, Vec<String>)>;

impl<'a> List<'a> {
    pub fn new(asker: &'a Asker, syncing: &'a Syncing, place: Place, concurrency: usize) -> Self {
        List {
            asker,
            syncing,
            place,
            concurrency,
            only_missing: false,
            resumed: false,
            cursors: HashSet::new(),
            last: HashSet::new(),
            hash: RandomState::new(),
        }
    }

    /// Reads the list to its end; where the sync is then, or how far it was when it was asked to stop.
    pub async fn walk(mut self, first: Page, run: &Run, writing: Writing, progress: &mut Progress) -> Result<Place> {
        let counts = writing.counts.clone();
        let (to, from) = mpsc::channel(WAITING);
        let mut writer = tokio::spawn(writing.run(from));
        let mut written = None;
        let mut flight: JoinSet<Result<()>> = JoinSet::new();
        let mut batches = Batches::new();
        let mut next = None;
        let mut begun = self.page(first, &to, &mut batches, &mut next).await;
        let walked = loop {
            if begun.is_err() {
                break std::mem::replace(&mut begun, Ok(()));
            }
            while flight.len() < self.concurrency
                && let Some((number, openids)) = batches.pop_front()
            {
                flight.spawn(ask(self.asker.clone(), to.clone(), number, openids));
            }
            if run.stop().asked() || (next.is_none() && batches.is_empty() && flight.is_empty()) {
                break Ok(());
            }
            let page = async {
                match &mut next {
                    Some(page) => page.await,
                    None => std::future::pending().await,
                }
            };
            let step = tokio::select! {
                Some(done) = flight.join_next() => done.map_err(ended).flatten(),
                page = page, if batches.is_empty() => {
                    next = None;
                    match page.map_err(ended).flatten() {
                        Ok(page) => self.page(page, &to, &mut batches, &mut next).await,
                        Err(error) => Err(error),
                    }
                }
                done = &mut writer => {
                    written = Some(done);
                    Err(stopped())
                }
                () = tokio::time::sleep(LOOK) => Ok(()),
            };
            tell(progress, &counts, &self.place);
            if step.is_err() {
                break step;
            }
        };
        // What has come is written, and what is on its way when the quota is spent has been paid for. What is still in
        // flight then is asked for again by the next run.
        if walked.is_err() {
            let _ = tokio::time::timeout(LAST_ANSWERS, async { while flight.join_next().await.is_some() {} }).await;
        }
        drop((flight, to));
        if let Some(page) = next {
            page.abort();
        }
        let written = match written {
            Some(written) => written,
            None => writer.await,
        };
        // Where the writer failed, all else failed because of it.
        let place = written.map_err(ended).flatten()?;
        walked.map(|()| place)
    }

    fn fetch(&self) -> JoinHandle<Result<Page>> {
        let (asker, after) = (self.asker.clone(), self.place.after.clone());
        tokio::spawn(async move { asker.page(after.as_deref()).await })
    }

    /// Makes batches of a page, and has the one behind it fetched.
    async fn page(
        &mut self,
        page: Page,
        to: &mpsc::Sender<ToWrite>,
        batches: &mut Batches,
        next: &mut Option<JoinHandle<Result<Page>>>,
    ) -> Result<()> {
        self.place.counted(page.total);
        self.place.pages += 1;
        match page.next.clone().filter(|_| !page.openids.is_empty()) {
            None => self.place.phase = Phase::Gone,
            Some(after) => {
                if !self.cursors.insert(after.clone()) {
                    return Err(Error::failed(say!(
                        "user/get: the list goes in a circle: a page leads to one that was read already";
                        "user/get：列表在循环：某一页指向已读过的页"
                    )));
                }
                self.place.after = Some(after);
                *next = Some(self.fetch());
            }
        }
        let number = self.place.pages;
        let (people, complete) = self.wanted(page.openids).await?;
        let wanted: Vec<Vec<String>> = people.chunks(BATCH).map(<[String]>::to_vec).collect();
        let known: Vec<Vec<String>> = complete.chunks(BATCH).map(<[String]>::to_vec).collect();
        let after = self.place.clone();
        send(to, ToWrite::Page { number, batches: wanted.len() + known.len(), after }).await?;
        for openids in known {
            let people = openids.into_iter().map(|openid| Listed { openid, profile: None, counts: true }).collect();
            send(to, ToWrite::Batch { number, people, failed: 0 }).await?;
        }
        batches.extend(wanted.into_iter().map(|openids| (number, openids)));
        Ok(())
    }

    /// Who of a page is asked about, and who is known well enough.
    async fn wanted(&mut self, openids: Vec<String>) -> Result<(Vec<String>, Vec<String>)> {
        let mut here = HashSet::with_capacity(openids.len());
        let mut people = openids;
        people.retain(|openid| {
            let person = self.hash.hash_one(openid);
            here.insert(person) && !self.last.contains(&person)
        });
        self.last = here;
        if !(self.resumed || self.only_missing) {
            return Ok((people, Vec::new()));
        }
        let store = &self.asker.app.store;
        let (mut wanted, mut complete) = (Vec::with_capacity(people.len()), Vec::new());
        let mut seen = 0;
        for some in people.chunks(ROWS) {
            let rows = store.sync_rows(self.syncing, some).await?;
            let rows: std::collections::HashMap<&str, (bool, bool)> =
                rows.iter().map(|row| (row.openid.as_str(), (row.seen, row.complete))).collect();
            for openid in some {
                match rows.get(openid.as_str()) {
                    Some((true, _)) => seen += 1,
                    Some((false, true)) if self.only_missing => complete.push(openid.clone()),
                    _ => wanted.push(openid.clone()),
                }
            }
        }
        // Behind a page of which nothing is done, nothing is.
        self.resumed &= seen > 0;
        Ok((wanted, complete))
    }
}

/// Asks about a batch, and hands on what is told.
async fn ask(asker: Asker, to: mpsc::Sender<ToWrite>, number: u64, openids: Vec<String>) -> Result<()> {
    let Answer { told, failed } = asker.people(openids).await?;
    let failures = failed.len() as u64;
    // Who has left since the list was read is none of it.
    let mut people: Vec<Listed> = told.into_iter().filter(|info| info.subscribe).map(listed).collect();
    // They are in the list: not gone, whatever else.
    people.extend(failed.into_iter().map(|(openid, _)| Listed { openid, profile: None, counts: false }));
    send(&to, ToWrite::Batch { number, people, failed: failures }).await
}

pub(super) fn listed(info: UserInfo) -> Listed {
    let profile = Profile {
        unionid: info.unionid,
        nickname: info.nickname,
        avatar_url: info.headimgurl,
        sex: info.sex.map(i64::from),
        city: info.city,
        province: info.province,
        country: info.country,
        language: info.language,
        subscribe_scene: info.subscribe_scene,
        remark: info.remark,
        follow_time: info.subscribe_time.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
    };
    Listed { openid: info.openid, profile: Some(profile), counts: true }
}

fn tell(progress: &mut Progress, counts: &Shared, place: &Place) {
    let seen = locked(counts).seen;
    let (_, total) = place.total.unwrap_or_default();
    let part = seen as f64 / total.max(1) as f64;
    progress.tell(part.min(1.0) * 0.95, || say!("{seen} of {total} people"; "{total} 人中的 {seen} 人"));
}

async fn send(to: &mpsc::Sender<ToWrite>, message: ToWrite) -> Result<()> {
    to.send(message).await.map_err(|_| stopped())
}

pub(super) fn stopped() -> Error {
    Error::failed(say!("the writer of the sync has stopped"; "同步的写入已停止"))
}

pub(super) fn ended(error: tokio::task::JoinError) -> Error {
    Error::failed(say!("a part of the sync ended without a word"; "同步的一部分意外结束")).source(error)
}
