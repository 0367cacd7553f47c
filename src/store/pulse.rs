//! When callbacks came in, without an index on the time: ids grow with it, so a moment is found by looking rows up by
//! key, a few hundred at once and closer each time. Nothing here reads the whole table, however large it is.
//!
//! An account of few callbacks is read whole through the index on its people. One of many is looked for among the rows
//! around each moment. MariaDB runs a subquery that depends on another row through the whole table, whatever its limit:
//! so each look-up is a select of its own with its own bounds, and many are joined by UNION ALL.

use super::Store;
use super::value::{Value, places};
use crate::domain::silence::Around;
use crate::error::Result;
use std::collections::{BTreeSet, HashMap};

/// An account with no more callbacks than this is read whole.
const FEW: i64 = 5_000;
/// How far from a moment the callbacks of an account are looked for, in ids: other accounts may lie between.
const NEAR: i64 = 2_000;
/// The newest rows, in which an account that is not silent is found.
const NEWEST: i64 = 500;
/// Rows looked up at first, evenly over the table.
const RUNGS: i64 = 512;
/// Rows looked up between two of them when a moment lies there.
const BETWEEN: i64 = 8;
/// Two rungs so close are close enough.
const CLOSE: i64 = 64;
/// Rounds of getting closer; four are enough for 100,000,000 rows.
const ROUNDS: usize = 6;
/// Keys of one statement; shorter lists are filled up, so that there are few statements to prepare.
const AT_ONCE: usize = 256;
/// Selects of one statement.
const SELECTS: usize = 56;

/// A row that was looked up: its id, and when it came in, milliseconds.
type Rung = (i64, i64);

impl Store {
    /// When the last callback of an account came in, milliseconds.
    pub async fn last_callback(&self, account: &str) -> Result<Option<i64>> {
        let newest = "SELECT received_at FROM (SELECT id, account, received_at FROM inbox_event ORDER BY id DESC LIMIT ?) \
                      AS newest WHERE account = ? ORDER BY id DESC LIMIT 1";
        let found = self.row(newest, vec![NEWEST.into(), account.into()], |row| row.time(0)).await?;
        if let Some(time) = found {
            return Ok(Some(time.timestamp_millis()));
        }
        let older =
            "SELECT received_at FROM inbox_event WHERE id = (SELECT MAX(id) FROM inbox_event WHERE account = ?)";
        Ok(self.row(older, vec![account.into()], |row| row.time(0)).await?.map(|time| time.timestamp_millis()))
    }

    /// The callbacks of an account on both sides of each moment; moments and times in milliseconds.
    pub async fn callbacks_around(&self, account: &str, moments: &[i64]) -> Result<Vec<Around>> {
        match self.few(account).await? {
            Some(times) => Ok(moments.iter().map(|moment| between(&times, *moment)).collect()),
            None => self.near(account, moments).await,
        }
    }

    /// Every callback of an account, in order of time; `None` where there are many.
    pub(super) async fn few(&self, account: &str) -> Result<Option<Vec<i64>>> {
        let count = "SELECT COUNT(*) FROM (SELECT openid FROM inbox_event WHERE account = ? LIMIT ?) AS some";
        if self.row(count, vec![account.into(), (FEW + 1).into()], |row| row.int(0)).await? > Some(FEW) {
            return Ok(None);
        }
        let all = "SELECT received_at FROM inbox_event WHERE account = ?";
        let mut times =
            self.rows(all, vec![account.into()], |row| row.time(0).map(|time| time.timestamp_millis())).await?;
        times.sort_unstable();
        Ok(Some(times))
    }

    /// The same for an account of many: between the rungs on both sides of each moment, where there may be no id at
    /// all, and on from there.
    pub(super) async fn near(&self, account: &str, moments: &[i64]) -> Result<Vec<Around>> {
        let rungs = self.rungs(moments).await?;
        let near = moments.iter().filter_map(|moment| bracket(&rungs, *moment).map(|(low, high)| (*moment, low, high)));
        let below: Vec<_> = near.clone().map(|(moment, low, high)| (moment, low - NEAR, high)).collect();
        let above: Vec<_> = near.map(|(moment, low, high)| (moment, low, high + NEAR)).collect();
        let before = self.nearest(account, &below, "<=", "DESC").await?;
        let after = self.nearest(account, &above, ">", "ASC").await?;
        let around = |moment| Around { before: before.get(moment).copied(), after: after.get(moment).copied() };
        Ok(moments.iter().map(around).collect())
    }

    /// By moment the nearest callback on one side of it, for each (moment, lowest id, highest id).
    async fn nearest(
        &self,
        account: &str,
        asked: &[(i64, i64, i64)],
        side: &str,
        order: &str,
    ) -> Result<HashMap<i64, i64>> {
        // The account is compared in a way that no index serves: SQLite would read and sort all of its rows.
        let select = format!(
            "SELECT * FROM (SELECT CAST(? AS SIGNED) AS moment, received_at FROM inbox_event WHERE id >= ? AND id <= ? \
             AND received_at {side} ? AND CASE account WHEN ? THEN 1 ELSE 0 END = 1 ORDER BY id {order} LIMIT 1) AS one"
        );
        let mut found = HashMap::new();
        for part in asked.chunks(SELECTS) {
            let sql = vec![select.as_str(); part.len()].join(" UNION ALL ");
            let args = part.iter().flat_map(|(moment, from, to)| {
                let time = chrono::DateTime::from_timestamp_millis(*moment).unwrap_or_default();
                [Value::Int(*moment), Value::Int(*from), Value::Int(*to), Value::Time(time), Value::from(account)]
            });
            found.extend(
                self.rows(&sql, args.collect(), |row| Ok((row.int(0)?, row.time(1)?.timestamp_millis()))).await?,
            );
        }
        Ok(found)
    }

    /// Rows close to each moment, in order of id.
    async fn rungs(&self, moments: &[i64]) -> Result<Vec<Rung>> {
        let ends = "SELECT (SELECT MIN(id) FROM inbox_event), (SELECT MAX(id) FROM inbox_event)";
        let ends = self.row(ends, vec![], |row| Ok((row.opt_int(0)?, row.opt_int(1)?))).await?;
        let Some((Some(first), Some(last))) = ends else { return Ok(Vec::new()) };
        let mut rungs = self.at(&spread(first, last, RUNGS)).await?;
        for _ in 0..ROUNDS {
            let wide =
                moments.iter().filter_map(|moment| bracket(&rungs, *moment)).filter(|(low, high)| high - low > CLOSE);
            let wanted: BTreeSet<i64> = wide.flat_map(|(low, high)| spread(low + 1, high - 1, BETWEEN)).collect();
            let closer = self.at(&wanted.into_iter().collect::<Vec<_>>()).await?;
            if closer.is_empty() {
                break;
            }
            rungs.extend(closer);
            rungs.sort_unstable();
        }
        Ok(rungs)
    }

    /// The rows of these ids, those that are there, in order of id.
    async fn at(&self, ids: &[i64]) -> Result<Vec<Rung>> {
        let sql = format!("SELECT id, received_at FROM inbox_event WHERE id IN ({})", places(AT_ONCE));
        let mut rungs = Vec::with_capacity(ids.len());
        for part in ids.chunks(AT_ONCE) {
            let full = part.iter().chain(std::iter::repeat(&part[0])).take(AT_ONCE);
            let args = full.map(|id| Value::Int(*id)).collect();
            rungs.extend(self.rows(&sql, args, |row| Ok((row.int(0)?, row.time(1)?.timestamp_millis()))).await?);
        }
        rungs.sort_unstable();
        Ok(rungs)
    }
}

/// The neighbours of a moment among times in order.
fn between(times: &[i64], moment: i64) -> Around {
    let at = times.partition_point(|time| *time <= moment);
    Around { before: at.checked_sub(1).map(|at| times[at]), after: times.get(at).copied() }
}

/// The ids of the rungs on both sides of a moment; the end itself where it lies before or behind all.
fn bracket(rungs: &[Rung], moment: i64) -> Option<(i64, i64)> {
    let at = rungs.partition_point(|rung| rung.1 <= moment);
    let low = rungs.get(at.saturating_sub(1))?;
    let high = rungs.get(at).or(rungs.last())?;
    Some((low.0, high.0))
}

/// Up to `count` ids from `first` to `last`, evenly, both among them.
fn spread(first: i64, last: i64, count: i64) -> Vec<i64> {
    let (width, steps) = (last - first, (count - 1).min(last - first).max(1));
    let mut ids: Vec<i64> = (0..=steps).map(|step| first + width * step / steps).collect();
    ids.dedup();
    ids
}
