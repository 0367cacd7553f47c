//! Who is gone: whoever was not in the list is asked about; only when all were, and not too many of them are gone, are
//! they marked.

use super::Sync;
use super::ask::{Answer, Asker};
use super::list::ended;
use super::place::{Phase, Place};
use crate::commands::pace::Pace;
use crate::error::{Error, Result};
use crate::job::Run;
use crate::platform::wechat::user::BATCH;
use crate::report::Progress;
use crate::say;
use crate::store::{Candidate, Store, Syncing};
use std::collections::HashMap;
use std::time::Instant;
use tokio::task::JoinSet;

/// Candidates looked at together.
pub(super) const AT_ONCE: i64 = 2_000;

/// Who was found gone.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Found {
    /// Marked as gone.
    pub gone: u64,
    /// Not in the list, and following all the same.
    pub overlooked: u64,
}

/// Asks about everyone who was not in the list, and marks who is gone.
pub(super) async fn gone(
    verb: &Sync,
    asker: &Asker,
    syncing: &Syncing,
    place: &mut Place,
    run: &Run,
    progress: &mut Progress,
) -> Result<Found> {
    let mut found = Found::default();
    let verdicts = asked(verb, asker, syncing, place, &mut found, run, progress).await?;
    if run.stop().asked() {
        return Ok(found);
    }
    let known = place.known.unsigned_abs();
    if verb.loses_too_many(verdicts, known) {
        place.phase = Phase::Refused;
        run.save(&place.json()).await?;
        return Err(too_many(verdicts, known, verb.max_loss));
    }
    found.gone = mark(asker, syncing, place, run).await?;
    Ok(found)
}

pub(super) fn too_many(gone: u64, known: u64, limit: f64) -> Error {
    let percent = (limit * 1000.0).round() / 10.0;
    Error::failed(say!(
        "{gone} of {known} known followers would be marked as gone, more than {percent} %: nobody is";
        "已知的 {known} 名粉丝中有 {gone} 名将被标记为已离开，超过 {percent}%：未作标记"
    ))
    .next(say!(
        "look whether that can be; then: wxops followers sync --accept-loss";
        "请核实是否属实；若属实：wxops followers sync --accept-loss"
    ))
}

/// How many do not follow, of those who were not in the list.
async fn asked(
    verb: &Sync,
    asker: &Asker,
    syncing: &Syncing,
    place: &mut Place,
    found: &mut Found,
    run: &Run,
    progress: &mut Progress,
) -> Result<u64> {
    let store = &asker.app.store;
    let (mut after, mut verdicts, mut flight) = (0, 0, JoinSet::new());
    loop {
        let some = store.sync_candidates(syncing, (after, place.last_id), AT_ONCE).await?;
        let Some(last) = some.last() else { return Ok(verdicts) };
        after = last.id;
        verdicts += some.iter().filter(|one| one.verdict).count() as u64;
        let open: Vec<&Candidate> = some.iter().filter(|one| !one.verdict).collect();
        let ids: HashMap<&str, i64> = open.iter().map(|one| (one.openid.as_str(), one.id)).collect();
        let mut batches = open.chunks(BATCH);
        loop {
            while flight.len() < verb.concurrency as usize
                && !run.stop().asked()
                && let Some(batch) = batches.next()
            {
                let (asker, openids) = (asker.clone(), batch.iter().map(|one| one.openid.clone()).collect());
                flight.spawn(async move { asker.people(openids).await });
            }
            let Some(answer) = flight.join_next().await else { break };
            let Answer { told, failed } = answer.map_err(ended).flatten()?;
            let of = |follows: bool| {
                let those = told.iter().filter(move |info| info.subscribe == follows);
                those.filter_map(|info| ids.get(info.openid.as_str()).copied()).collect::<Vec<i64>>()
            };
            let (gone, stayed) = (of(false), of(true));
            verdicts += gone.len() as u64;
            found.overlooked += stayed.len() as u64;
            place.failed += failed.len() as u64;
            let verdict = |ids: &[i64], follows| (!ids.is_empty()).then(|| Store::sync_verdict(syncing, ids, follows));
            run.set_count("failed", place.failed);
            let statements = verdict(&gone, false).into_iter().chain(verdict(&stayed, true));
            store.commit(statements.chain([run.save_statement(&place.json())]).collect()).await?;
            progress.tell(0.97, || say!("{verdicts} people are gone"; "{verdicts} 人已离开"));
        }
        if run.stop().asked() {
            return Ok(verdicts);
        }
    }
}

/// Marks whose verdict stands, in small transactions: callbacks of a running `serve` wait for each.
async fn mark(asker: &Asker, syncing: &Syncing, place: &Place, run: &Run) -> Result<u64> {
    let store = &asker.app.store;
    let (mut pace, mut after) = (Pace::new(), 0);
    loop {
        let some = store.sync_candidates(syncing, (after, place.last_id), AT_ONCE).await?;
        let Some(last) = some.last() else { return Ok(run.counted("gone")) };
        after = last.id;
        let ids: Vec<i64> = some.iter().filter(|one| one.verdict).map(|one| one.id).collect();
        let mut rest = &ids[..];
        while !rest.is_empty() {
            if run.stop().asked() {
                return Ok(run.counted("gone"));
            }
            let (few, more) = rest.split_at(pace.rows().min(rest.len()));
            rest = more;
            let start = Instant::now();
            let statement = Store::sync_gone(syncing, few, asker.app.config.clock.now());
            run.count("gone", store.commit(vec![statement]).await?[0]);
            tokio::time::sleep(pace.after(start.elapsed())).await;
        }
    }
}
