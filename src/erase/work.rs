//! The eraser: clears the stores that erasures wait for, and gives receipts.

use super::chain;
use super::place::{Cleared, Place};
use crate::app::App;
use crate::error::{Error, Result};
use crate::lifecycle;
use crate::store::Erasure;
use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often the table is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Erasures taken at a time.
const ROUND: i64 = 500;
/// A store that is busy for a moment is asked again after this at the earliest, milliseconds.
const SOON_MS: i64 = 1_000;
/// The first wait after a failure, doubled each time, and the longest, milliseconds.
const BACKOFF_MS: i64 = 1_000;
const BACKOFF_MAX_MS: i64 = 30_000;
/// After a round the eraser rests this many times as long as it took: callbacks go first.
const REST: u32 = 10;

/// Works until `stop`.
pub async fn work(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut rest = LOOK_EVERY;
    loop {
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = lifecycle::until(&mut stop) => break,
        }
        let start = Instant::now();
        if let Err(error) = step(&app).await {
            tracing::debug!(%error, "the eraser found the database away");
        }
        rest = (start.elapsed() * REST).max(LOOK_EVERY);
    }
}

/// One round: clears what is due, then gives receipts to what is confirmed.
async fn step(app: &App) -> Result<()> {
    let mut rows = app.store.claim_erasures(ROUND, app.now_ms()).await?;
    rows.sort_by(|one, other| one.stores.cmp(&other.stores));
    let mut rest = rows.as_slice();
    // Those that wait for the same stores, together.
    while let Some(first) = rest.first() {
        let (alike, others) = rest.split_at(rest.iter().take_while(|row| row.stores == first.stores).count());
        clear(app, alike).await?;
        rest = others;
    }
    chain::seal(app).await
}

/// What became of an erasure in a round.
struct Round<'a> {
    row: &'a Erasure,
    named: Map<String, Value>,
    why: Option<String>,
    failed: bool,
}

impl Round<'_> {
    fn is_pending(&self, name: &str) -> bool {
        self.named.get(name).is_some_and(Value::is_null)
    }

    /// When it is to be looked at again, milliseconds: soon where a moment is all it takes, later the longer it waits.
    fn wait_ms(&self, now_ms: i64) -> i64 {
        match self.failed {
            true => backoff_ms(self.row.attempts),
            false => ((now_ms - self.row.erased_at.timestamp_millis()) / 4).clamp(SOON_MS, BACKOFF_MAX_MS),
        }
    }
}

/// Clears the stores that these erasures, all alike, wait for.
async fn clear(app: &App, rows: &[Erasure]) -> Result<()> {
    let named: Map<String, Value> = serde_json::from_str(&rows[0].stores).unwrap_or_default();
    let round = |row| Round { row, named: named.clone(), why: None, failed: false };
    let mut rounds: Vec<Round<'_>> = rows.iter().map(round).collect();
    for name in
        named.iter().filter(|(_, at)| at.is_null()).map(|(name, _)| name).filter(|name| Place::named(name).is_none())
    {
        rounds.iter_mut().for_each(|round| (round.failed, round.why) = (true, Some(unknown(name).to_string())));
    }
    for place in Place::ALL.into_iter().filter(|place| named.get(place.name()).is_some_and(Value::is_null)) {
        // What leaves the spool passes through the log.
        let early = |round: &Round<'_>| place == Place::File && round.is_pending(Place::Spool.name());
        if rounds.iter().all(early) {
            continue;
        }
        match place.clear(app, rows).await {
            Ok(answers) => {
                let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
                let asked = rounds.iter_mut().zip(answers).filter(|(round, _)| !early(round));
                asked.for_each(|(round, answer)| note(round, place, answer, &now));
            }
            Err(error) => {
                tracing::warn!(store = place.name(), %error, waiting = rows.len(), "a store did not confirm an erasure");
                rounds.iter_mut().for_each(|round| (round.failed, round.why) = (true, Some(error.to_string())));
            }
        }
    }
    confirm(app, &rounds).await
}

fn note(round: &mut Round<'_>, place: Place, answer: Cleared, now: &str) {
    match answer {
        Cleared::NotYet(why) => {
            round.why = round.why.take().or(why);
            return;
        }
        Cleared::Confirmed => {}
        Cleared::Without(gone) => {
            round.named.insert(format!("{}_gone", place.name()), gone.into());
        }
    }
    round.named.insert(place.name().to_owned(), now.into());
}

/// Writes the rounds, those that ended alike together.
async fn confirm(app: &App, rounds: &[Round<'_>]) -> Result<()> {
    let now_ms = app.now_ms();
    let mut alike: HashMap<(String, Option<&str>, bool), Vec<&Round<'_>>> = HashMap::new();
    for round in rounds {
        let stores = Value::Object(round.named.clone()).to_string();
        alike.entry((stores, round.why.as_deref(), round.failed)).or_default().push(round);
    }
    for ((stores, why, failed), rounds) in alike {
        let all = !rounds[0].named.values().any(Value::is_null);
        let rows: Vec<&Erasure> = rounds.iter().map(|round| round.row).collect();
        let wait = rounds.iter().map(|round| round.wait_ms(now_ms)).min().unwrap_or(SOON_MS);
        app.store.confirm_erasures(&rows, &stores, why, failed, now_ms + wait, all).await?;
    }
    Ok(())
}

fn unknown(name: &str) -> Error {
    Error::failed(crate::say!(
        "this wxops knows no store called {name}: a later one has written it";
        "本程序不认识名为 {name} 的存储：它由更新版本写入"
    ))
}

fn backoff_ms(attempts: i64) -> i64 {
    BACKOFF_MS.saturating_mul(1 << attempts.clamp(0, 20)).min(BACKOFF_MAX_MS)
}

/// For a verb: works, and watches others work, until these erasures have their receipts or the time is over. Tells how
/// they stand then.
pub async fn settled(app: &App, account: &str, openids: &[String], patience: Duration) -> Result<Vec<Erasure>> {
    let end = Instant::now() + patience;
    loop {
        step(app).await?;
        let mut rows = Vec::with_capacity(openids.len());
        for openid in openids {
            rows.extend(app.store.last_erasure(account, openid).await?);
        }
        if Instant::now() >= end || rows.iter().all(|row| row.link.is_some()) {
            return Ok(rows);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_half_a_minute() {
        assert_eq!([0, 1, 2, 4, 5, 60].map(backoff_ms), [1_000, 2_000, 4_000, 16_000, 30_000, 30_000]);
    }
}
