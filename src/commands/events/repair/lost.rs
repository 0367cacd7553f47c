//! What no list gives back: kinds of callbacks, and how many of them usually come in such a time.

use crate::error::Result;
use crate::store::Store;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// Kinds that the list of followers gives back.
const HAD_BACK: &[&str] = &["event.subscribe", "event.unsubscribe"];
/// The same hours of so many weeks before are compared.
const WEEKS: i32 = 4;
/// A longer time would be compared with itself.
const LONGEST: TimeDelta = TimeDelta::days(7);

/// What is known of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lost {
    pub kind: String,
    /// How many came since the outage began.
    pub came: i64,
    /// How many come in such a time, on average over the weeks that the inbox remembers.
    pub usual: i64,
}

/// The kinds that came in this time or usually do; `None` where the inbox remembers no week of it, or too much to count.
pub(super) async fn lost(
    store: &Store,
    account: &str,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Vec<Lost>>> {
    let Some(begins) = store.inbox_begins().await? else { return Ok(None) };
    if until - since > LONGEST {
        return Ok(None);
    }
    let Some(came) = store.inbox_kinds(account, since, until).await? else { return Ok(None) };
    let mut kinds: BTreeMap<String, (i64, i64)> = came.into_iter().map(|(kind, came)| (kind, (came, 0))).collect();
    let mut weeks = 0;
    for week in 1..=WEEKS {
        let ago = TimeDelta::weeks(week.into());
        if since - ago < begins {
            break;
        }
        let Some(then) = store.inbox_kinds(account, since - ago, until - ago).await? else { return Ok(None) };
        weeks += 1;
        then.into_iter().for_each(|(kind, events)| kinds.entry(kind).or_default().1 += events);
    }
    if weeks == 0 {
        return Ok(None);
    }
    let lost = kinds.into_iter().filter(|(kind, _)| !HAD_BACK.contains(&kind.as_str()));
    let mut lost: Vec<_> =
        lost.map(|(kind, (came, sum))| Lost { kind, came, usual: (sum + weeks / 2) / weeks }).collect();
    lost.sort_by_key(|row| -row.usual);
    Ok(Some(lost))
}
