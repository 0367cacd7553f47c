//! The eraser: clears the stores that erasures wait for, and gives receipts.

use super::chain;
use super::place::{Cleared, Place};
use crate::app::App;
use crate::error::{Error, Result};
use crate::lifecycle;
use crate::store::Erasure;
use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often the table is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Erasures taken at a time.
const ROUND: i64 = 200;
/// A store that is busy for a moment is asked again after this, milliseconds.
const SOON_MS: i64 = 1_000;
/// The first wait after a failure, doubled each time, and the longest, milliseconds.
const BACKOFF_MS: i64 = 1_000;
const BACKOFF_MAX_MS: i64 = 600_000;
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
    let rows = app.store.claim_erasures(ROUND, app.now_ms()).await?;
    let mut rest = rows.as_slice();
    // Those that wait for the same stores, together.
    while let Some(first) = rest.first() {
        let (alike, others) = rest.split_at(rest.iter().take_while(|row| row.stores == first.stores).count());
        clear(app, alike).await?;
        rest = others;
    }
    chain::seal(app).await
}

/// Clears the stores that these erasures, all alike, wait for.
async fn clear(app: &App, rows: &[Erasure]) -> Result<()> {
    let mut named: Map<String, Value> = serde_json::from_str(&rows[0].stores).unwrap_or_default();
    let mut failed: Option<Error> = None;
    let mut pending = false;
    for (name, confirmed) in named.iter_mut().filter(|(_, confirmed)| confirmed.is_null()) {
        let cleared = match Place::named(name) {
            Some(place) => place.clear(app, rows).await,
            None => Err(unknown(name)),
        };
        match cleared {
            Ok(Cleared::Confirmed) => *confirmed = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true).into(),
            Ok(Cleared::NotYet) => pending = true,
            Err(error) => {
                tracing::warn!(store = name, %error, waiting = rows.len(), "a store did not confirm an erasure");
                failed = Some(error);
            }
        }
    }
    let wait = match &failed {
        Some(_) => backoff_ms(rows[0].attempts),
        None => SOON_MS,
    };
    let why = failed.as_ref().map(Error::to_string);
    let all = failed.is_none() && !pending;
    let rows: Vec<&Erasure> = rows.iter().collect();
    let stores = Value::Object(named).to_string();
    app.store.confirm_erasures(&rows, &stores, why.as_deref(), app.now_ms() + wait, all).await
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
    fn the_wait_doubles_up_to_ten_minutes() {
        assert_eq!([0, 1, 2, 9, 10, 60].map(backoff_ms), [1_000, 2_000, 4_000, 512_000, 600_000, 600_000]);
    }
}
