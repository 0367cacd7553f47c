//! What a job needs of the day's quota against what is left of it. A job that would end in 45009 does not begin, unless
//! it is told to spread itself over days (reference 8).

use crate::app::App;
use crate::domain::account::Official;
use crate::domain::beijing;
use crate::error::{Error, Result, Then};
use crate::platform::wechat::quota::{self, BATCHGET, STABLE_TOKEN, USER_GET};
use crate::say;
use futures_util::future::join_all;
use std::time::Duration;

/// People of a page of user/get.
const PAGE: u64 = 10_000;
/// People of a batch of user/info/batchget.
const BATCH: u64 = 100;

/// Calls of an API, by the path that quota/get is asked for.
pub type Need = (&'static str, u64);

/// What one run of `followers sync` calls for so many people: the pages and the one behind the last, and the batches,
/// of which none spans two pages. Whoever is gone is asked about beside it.
pub fn followers_sync(people: u64) -> Vec<Need> {
    let pages = people.div_ceil(PAGE);
    let batches =
        pages.saturating_sub(1) * PAGE.div_ceil(BATCH) + (people - pages.saturating_sub(1) * PAGE).div_ceil(BATCH);
    vec![(USER_GET, pages + 1), (BATCHGET, batches)]
}

/// What one run of `events repair` calls for so many people: the list. Whom it finds missing is asked for beside it.
fn events_repair(people: u64) -> Vec<Need> {
    vec![(USER_GET, people.div_ceil(PAGE) + 1)]
}

/// What one run of `token refresh` calls.
fn token_refresh(_: u64) -> Vec<Need> {
    vec![(STABLE_TOKEN, 1)]
}

/// What one run of a job calls for so many followers.
pub type Needs = fn(u64) -> Vec<Need>;

/// The scheduled jobs of an account.
pub const JOBS: &[(&str, Needs)] =
    &[("token refresh", token_refresh), ("followers sync", followers_sync), ("events repair", events_repair)];

/// One API of a job's needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The API's path.
    pub api: &'static str,
    /// Calls that the job makes.
    pub needed: u64,
    /// Calls that are left of the day; `None` where there is no limit, or the platform does not tell.
    pub left: Option<u64>,
}

impl Line {
    /// Whether the day's quota suffices.
    pub fn fits(&self) -> bool {
        self.left.is_none_or(|left| self.needed <= left)
    }
}

/// Refuses needs that would end in 45009 (exit 69), naming the first API that does not suffice, and the hour at which
/// the quota comes back; `now_ms` in milliseconds since 1970.
pub fn judge(lines: &[Line], now_ms: i64) -> Result<()> {
    let Some((line, left)) = lines.iter().find_map(|line| line.left.filter(|_| !line.fits()).map(|left| (line, left)))
    else {
        return Ok(());
    };
    let (Line { api, needed, .. }, reopens) = (line, beijing::next_day(now_ms));
    let (hour, after) = (beijing::shown(reopens), reopens.saturating_sub(now_ms).max(0).unsigned_abs());
    Err(Error::unavailable(say!(
        "the day's quota does not suffice: {api} needs {needed} calls, {left} are left; it would end in 45009";
        "当日配额不足：{api} 需要 {needed} 次调用，剩余 {left} 次，将以 45009 结束"
    ))
    .next(say!(
        "run it after {hour}; or with --spread, which works until the quota is spent and goes on the next day; \
         or see wxops quota clear (10 a month)";
        "请在 {hour} 之后运行；或加 --spread：用完配额即停，次日继续；或参见 wxops quota clear（每月 10 次）"
    ))
    .then(Then::Pause { after: Duration::from_millis(after), whole_account: false }))
}

/// Asks what is left for each of these needs, side by side. What can't be asked is warned of and counts as sufficient:
/// the job finds out by itself.
pub async fn ask(app: &App, account: &Official, needs: &[Need]) -> Vec<Line> {
    let line = async |(api, needed): Need| Line { api, needed, left: left_of(app, account, api).await };
    join_all(needs.iter().copied().map(line)).await
}

/// What is left of an API; `None` where there is no limit, or where it can't be told, which is warned of.
pub async fn left_of(app: &App, account: &Official, api: &str) -> Option<u64> {
    match quota::get(&app.client, &*app.tokens, account, api).await {
        Ok(quota) => quota.remain,
        Err(error) => {
            let account = account.name.as_str();
            tracing::warn!(account, api, %error, "what is left of the day's quota is not known");
            None
        }
    }
}

/// The budget check before a job: refuses (exit 69) what would end in 45009. With `spread` the job may begin, and stops
/// where the quota is spent.
pub async fn check(app: &App, account: &Official, needs: &[Need], spread: bool) -> Result<()> {
    weigh(app, account, &ask(app, account, needs).await, spread)
}

/// The same of what was asked already.
pub fn weigh(app: &App, account: &Official, lines: &[Line], spread: bool) -> Result<()> {
    match judge(lines, app.now_ms()) {
        Err(short) if spread => {
            let account = account.name.as_str();
            tracing::warn!(account, "{short}; it is spread over days");
            Ok(())
        }
        judged => judged,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Kind;

    #[test]
    fn a_sync_states_its_calls() {
        for (people, pages, batches) in [
            (0, 1, 0),
            (1, 2, 1),
            (100, 2, 1),
            (101, 2, 2),
            (10_000, 2, 100),
            (10_001, 3, 101),
            (1_000_000, 101, 10_000),
        ] {
            assert_eq!(followers_sync(people), [(USER_GET, pages), (BATCHGET, batches)], "{people}");
        }
    }

    #[test]
    fn what_does_not_suffice_is_refused_with_the_hour() {
        let line = |needed, left| Line { api: USER_GET, needed, left };
        let now = chrono::DateTime::parse_from_rfc3339("2026-11-21T15:00:00Z").unwrap().timestamp_millis();
        for fits in [line(7, None), line(7, Some(7)), line(0, Some(0))] {
            judge(&[fits], now).unwrap();
        }
        let e = judge(&[line(7, Some(7)), line(8, Some(7)), line(9, Some(0))], now).unwrap_err();
        assert_eq!(e.kind, Kind::Unavailable);
        assert!(e.what.en.contains("/cgi-bin/user/get needs 8 calls, 7 are left"), "{e}");
        let next = e.next.unwrap();
        assert!(next.en.contains("2026-11-22 00:00 +08:00") && next.en.contains("--spread"), "{next:?}");
        assert_eq!(e.then, Then::Pause { after: Duration::from_secs(3600), whole_account: false });
    }
}
