//! `--dry-run`: the same questions to WeChat, compared with the table, and nothing is written.

use super::ask::{Answer, Asker};
use super::gone::{AT_ONCE, too_many};
use super::list::{ended, listed};
use super::place::Place;
use super::told::Told;
use super::{Sync, begin};
use crate::error::Result;
use crate::job::Stop;
use crate::platform::wechat::user::BATCH;
use crate::report::Progress;
use crate::say;
use crate::store::{Candidate, Listed, Seen, Syncing};
use tokio::task::JoinSet;

/// Rows looked at together.
const ROWS: usize = 500;

/// A comparison under way.
struct Dry<'a> {
    verb: &'a Sync,
    asker: &'a Asker,
    syncing: &'a Syncing,
    /// Who stood in the list.
    seen: Seen,
    stop: &'a Stop,
}

/// Tells what a sync would do.
pub(super) async fn dry(
    verb: &Sync,
    asker: &Asker,
    mut place: Place,
    told: &mut Told,
    progress: &mut Progress,
    stop: &Stop,
) -> Result<()> {
    let syncing = Syncing { account: asker.account.name.clone(), run: place.run, began: place.began };
    let mut page = begin::first_page(verb, asker, &syncing, &mut place, 0).await?;
    told.begun = true;
    let mut dry = Dry { verb, asker, syncing: &syncing, seen: Seen::new()?, stop };
    loop {
        place.counted(page.total);
        let next = page.next.clone().filter(|_| !page.openids.is_empty());
        dry.page(page.openids, told).await?;
        let part = told.counts.seen as f64 / page.total.max(1) as f64;
        let seen = told.counts.seen;
        progress.tell(part.min(1.0) * 0.95, || say!("{seen} people compared"; "已比对 {seen} 人"));
        let Some(after) = next.filter(|_| !stop.asked()) else { break };
        page = asker.page(Some(&after)).await?;
    }
    told.listed(&place);
    dry.gone(&place, told).await?;
    let known = place.known.unsigned_abs();
    match verb.loses_too_many(told.gone, known) {
        true => Err(too_many(told.gone, known, verb.max_loss)),
        false => super::all_asked(told.failed),
    }
}

impl Dry<'_> {
    async fn page(&mut self, mut people: Vec<String>, told: &mut Told) -> Result<()> {
        let mut fresh = Vec::with_capacity(people.len());
        for openid in people.drain(..) {
            if !self.seen.has(&openid)? && self.seen.add(std::slice::from_ref(&openid))? == 1 {
                fresh.push(openid);
            }
        }
        if self.verb.only_missing {
            let mut wanted = Vec::new();
            for some in fresh.chunks(ROWS) {
                let rows = self.asker.app.store.sync_rows(self.syncing, some).await?;
                let complete: std::collections::HashSet<&str> =
                    rows.iter().filter(|row| row.complete).map(|row| row.openid.as_str()).collect();
                wanted.extend(some.iter().filter(|openid| !complete.contains(openid.as_str())).cloned());
                told.counts.seen += complete.len() as u64;
                told.counts.unchanged += complete.len() as u64;
            }
            fresh = wanted;
        }
        for Answer { told: infos, failed } in self.asked(&fresh).await? {
            told.failed += failed.len() as u64;
            let people: Vec<Listed> = infos.into_iter().filter(|info| info.subscribe).map(listed).collect();
            told.counts.add(self.asker.app.store.sync_compare(self.syncing, &people).await?);
        }
        Ok(())
    }

    async fn gone(&self, place: &Place, told: &mut Told) -> Result<()> {
        let mut after = 0;
        while !self.stop.asked() {
            let some = self.asker.app.store.sync_candidates(self.syncing, (after, place.last_id), AT_ONCE).await?;
            let Some(last) = some.last() else { break };
            after = last.id;
            let mut openids = Vec::new();
            for Candidate { openid, .. } in some {
                if !self.seen.has(&openid)? {
                    openids.push(openid);
                }
            }
            for Answer { told: infos, failed } in self.asked(&openids).await? {
                told.failed += failed.len() as u64;
                let stayed = infos.iter().filter(|info| info.subscribe).count() as u64;
                told.overlooked += stayed;
                told.gone += infos.len() as u64 - stayed;
            }
        }
        Ok(())
    }

    /// Batches of these people, in flight side by side.
    async fn asked(&self, openids: &[String]) -> Result<Vec<Answer>> {
        let (mut flight, mut answers) = (JoinSet::new(), Vec::new());
        let mut batches = openids.chunks(BATCH);
        while !self.stop.asked() {
            while flight.len() < self.verb.concurrency as usize
                && let Some(batch) = batches.next()
            {
                let (asker, batch) = (self.asker.clone(), batch.to_vec());
                flight.spawn(async move { asker.people(batch).await });
            }
            let Some(answer) = flight.join_next().await else { break };
            answers.push(answer.map_err(ended).flatten()?);
        }
        Ok(answers)
    }
}
