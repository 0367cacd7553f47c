//! What waits in the spool moves into the database, as soon as that answers. Killed anywhere, the next one begins anew:
//! what was committed already is a duplicate.

use super::keep::Keeping;
use super::pulse::Standing;
use crate::domain::hex::hex;
use crate::error::{Error, Result, Then};
use crate::events;
use crate::lifecycle;
use crate::say;
use crate::spool::{Record, Spool, Taken};
use crate::store::{SpoolRow, Stored};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};

/// Records on their way at a time: they share commits with each other, and with what comes in.
const TOGETHER: usize = 256;
/// How often is looked for what processes left that are gone, and noted what lies there.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it is noted that nothing has changed.
const NOTE_EVERY: Duration = Duration::from_secs(60);
/// How long the database may take for the note.
const NOTE_TIME: Duration = Duration::from_secs(5);
/// The same at the end.
const LEAVE_TIME: Duration = Duration::from_millis(500);

/// What became of the records of a segment.
#[derive(Default)]
struct Moved {
    new: u64,
    again: u64,
    refused: Vec<Record>,
}

/// Moves in what there is, until `stop`.
pub(super) async fn run(keeping: Keeping, place: String, mut stop: watch::Receiver<bool>) {
    let Some(spool) = keeping.spool.clone() else { return };
    let mut notes = Notes::new(place);
    let working = async {
        loop {
            if keeping.pulse.standing() != Standing::Away
                && (spool.is_used() || !spool.is_empty() || keeping.pulse.standing() == Standing::Answers)
                && let Err(error) = empty(&keeping, &spool).await
            {
                keeping.pulse.away(&error.to_string());
            }
            notes.take(&keeping, &spool).await;
            tokio::select! {
                () = keeping.pulse.back() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    };
    tokio::select! {
        () = working => {}
        () = lifecycle::until(&mut stop) => {}
    }
    notes.leave(&keeping, &spool).await;
}

/// Moves everything in that nobody writes to any more. The first commit shows that the database is well.
async fn empty(keeping: &Keeping, spool: &Spool) -> Result<()> {
    let mut passed_over = Vec::new();
    let mut all = Moved::default();
    loop {
        if spool.is_used() {
            spool.seal().await;
        }
        match spool.take(&mut passed_over).await.map_err(|error| unreadable(spool, &error))? {
            Some(taken) => {
                let moved = move_in(keeping, spool, taken).await?;
                (all.new, all.again) = (all.new + moved.new, all.again + moved.again);
                all.refused.extend(moved.refused);
            }
            // What came in meanwhile has opened the next one.
            None if spool.is_used() => {}
            None => break,
        }
    }
    keeping.pulse.well();
    if all.new + all.again > 0 {
        tracing::info!(new = all.new, repeated = all.again, refused = all.refused.len(), "moved in what was spooled");
    }
    Ok(())
}

async fn move_in(keeping: &Keeping, spool: &Spool, mut taken: Taken) -> Result<Moved> {
    let counted = |result: &str, count: u64| {
        keeping.app.metrics.spool_events.with_label_values(&[result]).inc_by(count);
    };
    let mut moved = Moved::default();
    let records = std::mem::take(&mut taken.records);
    for some in records.chunks(TOGETHER) {
        let mut commits = JoinSet::new();
        for (at, record) in some.iter().enumerate() {
            match record.arrival() {
                Ok(arrival) => {
                    let (store, acts) =
                        (keeping.app.store.clone(), events::acts(&keeping.app, &arrival.account, arrival.event.kind));
                    commits.spawn(async move { (at, store.arrive(Arc::new(arrival.acting(acts))).await) });
                }
                Err(reason) => refuse(&mut moved, record, reason.as_str()),
            }
        }
        while let Some(done) = commits.join_next().await {
            // A task that panicked has left its record in the segment.
            let (at, stored) = done.map_err(|error| Error::failed(say!("{error}"; "{error}")))?;
            match stored {
                Ok(Stored::Duplicate) => moved.again += 1,
                Ok(_) => moved.new += 1,
                Err(error) if error.then == Then::Never => refuse(&mut moved, &some[at], &error.to_string()),
                Err(error) => return Err(error),
            }
            keeping.pulse.well();
        }
    }
    let (broken, refused) = (taken.broken() as u64, moved.refused.clone());
    let done = spawn_blocking(move || taken.done(&refused)).await;
    done.map_err(std::io::Error::other).flatten().map_err(|error| unreadable(spool, &error))?;
    for (result, count) in
        [("moved", moved.new), ("duplicate", moved.again), ("refused", moved.refused.len() as u64), ("broken", broken)]
    {
        counted(result, count);
    }
    Ok(moved)
}

fn refuse(moved: &mut Moved, record: &Record, why: &str) {
    let (account, key) = (&*record.account, hex(&record.key[..8]));
    tracing::error!(account, key, why, "the database refuses a spooled callback; it is set aside");
    moved.refused.push(record.clone());
}

fn unreadable(spool: &Spool, error: &std::io::Error) -> Error {
    let folder = spool.folder().display();
    Error::failed(say!("the spool {folder}: {error}"; "暂存目录 {folder}：{error}"))
}

async fn is_waited_for(keeping: &Keeping) -> bool {
    matches!(tokio::time::timeout(NOTE_TIME, keeping.app.store.erasures_pending()).await, Ok(Ok(1..)))
}

/// What others are told of this host's spool: the metric, and the row of the table.
struct Notes {
    place: String,
    noted: Option<(SpoolRow, Instant)>,
}

impl Notes {
    fn new(place: String) -> Self {
        Notes { place, noted: None }
    }

    async fn take(&mut self, keeping: &Keeping, spool: &Spool) {
        let survey = match spool.survey().await {
            Ok(survey) => survey,
            Err(error) => return tracing::warn!(%error, "the spool can't be looked at"),
        };
        keeping.app.metrics.spool_bytes.set(i64::try_from(survey.bytes).unwrap_or(i64::MAX));
        let row = survey.row(&self.place);
        let known = self.noted.as_ref().is_some_and(|(old, at)| *old == row && at.elapsed() < NOTE_EVERY);
        // An erasure waits until every host has looked since.
        if keeping.pulse.standing() == Standing::Away || (known && !is_waited_for(keeping).await) {
            return;
        }
        match tokio::time::timeout(NOTE_TIME, keeping.app.store.note_spool(&row)).await {
            Ok(Ok(())) => self.noted = Some((row, Instant::now())),
            Ok(Err(error)) => tracing::debug!(%error, "the spool's row could not be written"),
            Err(_) => tracing::debug!("the spool's row could not be written in time"),
        }
    }

    /// At the end, when nobody can spool any more: an empty place that nobody looks at is not to be waited for.
    async fn leave(self, keeping: &Keeping, spool: &Spool) {
        let empty = spool.survey().await.is_ok_and(|survey| survey.events == 0 && survey.set_aside == 0);
        if empty && keeping.pulse.standing() != Standing::Away {
            let left = tokio::time::timeout(LEAVE_TIME, keeping.app.store.leave_spool(&self.place)).await;
            if !matches!(left, Ok(Ok(()))) {
                tracing::debug!("the spool's row stays; it ends by itself after a day");
            }
        }
    }
}
