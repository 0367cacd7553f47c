//! What a command tells of its runs when it ends: the file of metrics, and the log that goes out with the ping.

use super::run::Counts;
use super::textfile::{Figures, Page};
use crate::error::{Error, Kind, Lang};
use crate::report::{failure_line, log_tail, veiled};
use chrono::{DateTime, Utc};
use std::fmt::Write;
use std::time::Duration;

/// A run that is over.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub account: String,
    pub at: DateTime<Utc>,
    pub took: Duration,
    pub exit_code: u8,
    /// Those of the whole chain.
    pub counts: Counts,
    /// Of these, what this run has done.
    pub done: Counts,
    /// When a run ended well last, as far as the database could be asked.
    pub success: Option<DateTime<Utc>>,
}

impl Ended {
    /// Of one that failed before it had its row.
    pub(super) fn before_it_began(account: &str, error: &Error, took: Duration) -> Self {
        Ended {
            account: account.to_owned(),
            at: Utc::now(),
            took,
            exit_code: error.kind.exit_code(),
            counts: Counts::new(),
            done: Counts::new(),
            success: None,
        }
    }

    /// Of one without a row of its own that came to its end.
    pub(super) fn good(account: &str, at: DateTime<Utc>, took: Duration) -> Self {
        let (counts, done) = Default::default();
        Ended { account: account.to_owned(), at, took, exit_code: 0, counts, done, success: Some(at) }
    }
}

/// Takes the runs of a command into what the file says. Where it came to none, because the database is away or the
/// configuration wrong, every account that is known has failed with it.
pub(super) fn enter(page: &mut Page, job: &str, ended: &[Ended], none: Option<(&[String], Ended)>) {
    if let Some((accounts, end)) = none {
        let known = page.keys().filter(|(of, _)| of == job).map(|(_, account)| account.clone());
        let mut known: Vec<String> = known.collect();
        if known.is_empty() {
            known = accounts.to_vec();
        }
        for account in known {
            put(page, job, &Ended { account, ..end.clone() });
        }
        return;
    }
    ended.iter().for_each(|end| put(page, job, end));
    // What stands for a run that came to no account makes room for the accounts.
    let worked = |account: &str| ended.iter().any(|end| end.account == account);
    page.retain(|(of, account), figures| of != job || figures.last_success > 0.0 || worked(account));
}

fn put(page: &mut Page, job: &str, end: &Ended) {
    let seconds = |time: DateTime<Utc>| time.timestamp_millis() as f64 / 1000.0;
    let figures = page.entry((job.to_owned(), end.account.clone())).or_default();
    let success = if end.exit_code == 0 { Some(end.at) } else { end.success };
    *figures = Figures {
        last_success: success.map_or(figures.last_success, |time| figures.last_success.max(seconds(time))),
        last_run: seconds(end.at),
        duration: end.took.as_secs_f64(),
        exit_code: end.exit_code,
        items: std::mem::take(&mut figures.items),
    };
    for (name, count) in &end.done {
        *figures.items.entry(name.clone()).or_default() += count;
    }
}

/// The end of the log, with a line for each run and the error that the command ends with.
pub(super) fn log(job: &str, ended: &[Ended], error: Option<&Error>, lang: Lang) -> String {
    let mut words = String::new();
    for end in ended {
        let Ended { account, took, exit_code, counts, .. } = end;
        let _ = write!(words, "{job}: account={account} exit_code={exit_code} seconds={:.3}", took.as_secs_f64());
        counts.iter().for_each(|(name, count)| _ = write!(words, " {name}={count}"));
        words.push('\n');
    }
    if let Some(error) = error {
        words.push_str(&failure_line(error, lang, false));
        words.push('\n');
    }
    veiled(&log_tail(&words)).into_owned()
}

/// Whether a command that came to no run has one to tell of: not where another is under way.
pub(super) fn counts_as_run(error: &Error) -> bool {
    error.kind != Kind::Busy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(account: &str, exit_code: u8) -> Ended {
        let counts = Counts::from([("seen".to_owned(), 10)]);
        let done = Counts::from([("seen".to_owned(), 4)]);
        let at = DateTime::from_timestamp_millis(1_750_000_000_500).unwrap_or_default();
        Ended { account: account.into(), at, took: Duration::from_millis(1500), exit_code, counts, done, success: None }
    }

    fn of<'p>(page: &'p Page, account: &str) -> Option<&'p Figures> {
        page.get(&("sync".to_owned(), account.to_owned()))
    }

    #[test]
    fn a_failure_leaves_the_last_success_and_other_jobs() {
        let mut page = Page::from([(("other".to_owned(), "*".to_owned()), Figures::default())]);
        enter(&mut page, "sync", &[ended("a", 0), ended("b", 77)], None);
        assert_eq!(of(&page, "a").map(|a| (a.last_success, a.exit_code)), Some((1_750_000_000.5, 0)));
        assert_eq!(of(&page, "b").map(|b| (b.last_success, b.exit_code)), Some((0.0, 77)));
        let (nobody, late) = (["c".to_owned()], Ended { done: Counts::new(), ..ended("", 69) });
        enter(&mut page, "sync", &[], Some((&nobody, late)));
        assert_eq!(of(&page, "a").map(|a| (a.last_success, a.exit_code)), Some((1_750_000_000.5, 69)));
        assert_eq!((of(&page, "b").map(|b| b.exit_code), of(&page, "c")), (Some(69), None), "those that are known");
        enter(&mut page, "sync", &[ended("a", 0)], None);
        assert_eq!(of(&page, "a").map(|a| a.items["seen"]), Some(8));
        assert_eq!(of(&page, "b"), None, "it never ended well, and is not worked any more");
        assert_eq!(page.len(), 2, "{page:?}");
    }

    #[test]
    fn where_nothing_is_known_the_configuration_is() {
        let (mut page, accounts) = (Page::new(), ["a".to_owned(), "b".to_owned()]);
        enter(&mut page, "sync", &[], Some((&accounts, ended("", 78))));
        assert_eq!(page.values().map(|figures| figures.exit_code).collect::<Vec<_>>(), [78, 78]);
    }
}
