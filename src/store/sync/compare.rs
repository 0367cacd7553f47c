//! What becomes of a row, given what the platform tells of its person: looked at before anything is written, because
//! most rows are as they should be.

use super::super::enrichment::Profile;
use super::super::read::Row;
use super::{Listed, Synced, Syncing};
use crate::error::Result;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A row as it stands; times as the database keeps them.
pub(super) struct Known<'r, T> {
    pub seen_run: i64,
    pub follows: bool,
    pub updated_at: T,
    pub follow_time: Option<T>,
    pub unfollow_time: Option<T>,
    pub erased_to: Option<T>,
    /// user/info is due, or was given up.
    pub unsettled: bool,
    pub sex: Option<i64>,
    /// In the order of [`texts`].
    pub texts: [Option<&'r str>; 9],
}

/// What is to be done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Seen in this run already: the list tells of them twice.
    Twice,
    /// Left alone, but seen.
    Kept,
    /// As it should be.
    Same,
    /// Something is new.
    Changed,
    /// Known as gone, and follows.
    Returned,
}

/// The columns that [`Known::texts`] holds.
pub(super) const TEXTS: &str =
    "unionid, nickname, avatar_url, city, province, country, language, subscribe_scene, remark";

/// The columns that [`judged`] reads, in its order.
pub(super) fn columns() -> String {
    format!(
        "id, openid, seen_run, is_followed, updated_at, follow_time, unfollow_time, erased_to, \
         info_due_at IS NOT NULL OR info_error IS NOT NULL, sex, {TEXTS}"
    )
}

/// Id, openid and verdict of a row, by what was told of its person.
pub(super) fn judged(
    row: &Row<'_>,
    told: &HashMap<&str, &Listed>,
    syncing: &Syncing,
) -> Result<(i64, String, Verdict)> {
    let (id, openid, run) = (row.int(0)?, row.text(1)?, syncing.run);
    let columns: Vec<Option<String>> = (10..19).map(|at| row.opt_text(at)).collect::<Result<_>>()?;
    let mut texts = [None; 9];
    texts.iter_mut().zip(&columns).for_each(|(to, text)| *to = text.as_deref());
    let known: Known<'_, DateTime<Utc>> = Known {
        seen_run: row.int(2)?,
        follows: row.int(3)? == 1,
        updated_at: row.time(4)?,
        follow_time: row.opt_time(5)?,
        unfollow_time: row.opt_time(6)?,
        erased_to: row.opt_time(7)?,
        unsettled: row.int(8)? == 1,
        sex: row.opt_int(9)?,
        texts,
    };
    let verdict = match told.get(openid.as_str()).and_then(|person| person.profile.as_ref()) {
        Some(told) => verdict(&known, told, told.follow_time.as_ref(), run, &syncing.began),
        None if known.seen_run == run => Verdict::Twice,
        None => Verdict::Same,
    };
    Ok((id, openid, verdict))
}

impl Synced {
    /// Counts somebody who has a row.
    pub(super) fn count(&mut self, verdict: Verdict, counts: bool) {
        let one = u64::from(counts);
        self.seen += if verdict == Verdict::Twice { 0 } else { one };
        match verdict {
            Verdict::Twice => {}
            Verdict::Kept => self.kept += one,
            Verdict::Same => self.unchanged += one,
            Verdict::Changed => self.updated += one,
            Verdict::Returned => self.returned += one,
        }
    }
}

fn texts(told: &Profile) -> [Option<&str>; 9] {
    [
        told.unionid.as_deref(),
        told.nickname.as_deref(),
        told.avatar_url.as_deref(),
        told.city.as_deref(),
        told.province.as_deref(),
        told.country.as_deref(),
        told.language.as_deref(),
        told.subscribe_scene.as_deref(),
        told.remark.as_deref(),
    ]
}

/// Looks at a row; `since` is the following that was told, `began` when run `run` began.
pub(super) fn verdict<T: Ord>(known: &Known<'_, T>, told: &Profile, since: Option<&T>, run: i64, began: &T) -> Verdict {
    if known.seen_run == run {
        return Verdict::Twice;
    }
    if known.updated_at >= *began {
        return Verdict::Kept;
    }
    if !known.follows {
        return if returned(known, since) { Verdict::Returned } else { Verdict::Kept };
    }
    let later = since.is_some() && since > known.follow_time.as_ref();
    let news = |told: Option<&str>, known: Option<&str>| told.is_some() && told != known;
    let changed = later
        || known.unsettled
        || (told.sex.is_some() && told.sex != known.sex)
        || texts(told).iter().zip(&known.texts).any(|(told, known)| news(*told, *known));
    if changed { Verdict::Changed } else { Verdict::Same }
}

/// Whether somebody who is known as gone follows again: since later than what ended it. Who was erased while they
/// followed, and follows on, stays erased. In a tie with their leaving the platform's word decides.
fn returned<T: Ord>(known: &Known<'_, T>, since: Option<&T>) -> bool {
    let left = known.unfollow_time.as_ref();
    match (known.erased_to.as_ref(), since) {
        (Some(erased), Some(since)) => since > erased || (since == erased && left == Some(since)),
        (Some(_), None) => false,
        (None, Some(since)) => left.is_none_or(|left| since >= left),
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Known<'static, i64> {
        Known {
            seen_run: 1,
            follows: true,
            updated_at: 50,
            follow_time: Some(10),
            unfollow_time: None,
            erased_to: None,
            unsettled: false,
            sex: None,
            texts: [None, Some("小明"), None, None, None, None, None, None, None],
        }
    }

    fn look(known: &Known<'_, i64>, told: &Profile, since: Option<i64>) -> Verdict {
        verdict(known, told, since.as_ref(), 7, &100)
    }

    #[test]
    fn what_an_event_changed_since_is_left_alone() {
        let told = Profile { nickname: Some("new".into()), ..Profile::default() };
        assert_eq!(look(&Known { updated_at: 100, ..row() }, &told, Some(20)), Verdict::Kept);
        assert_eq!(look(&Known { updated_at: 99, ..row() }, &told, Some(20)), Verdict::Changed);
        assert_eq!(look(&Known { seen_run: 7, updated_at: 101, ..row() }, &told, None), Verdict::Twice);
    }

    #[test]
    fn nothing_told_is_nothing_new() {
        let none = Profile::default();
        assert_eq!(look(&row(), &none, None), Verdict::Same);
        assert_eq!(look(&row(), &none, Some(10)), Verdict::Same);
        assert_eq!(look(&row(), &none, Some(9)), Verdict::Same, "an older following");
        assert_eq!(look(&row(), &none, Some(11)), Verdict::Changed);
        assert_eq!(look(&Known { unsettled: true, ..row() }, &none, None), Verdict::Changed);
        let same = Profile { nickname: Some("小明".into()), ..none.clone() };
        assert_eq!(look(&row(), &same, None), Verdict::Same);
        let sex = Profile { sex: Some(2), ..none };
        assert_eq!(look(&row(), &sex, None), Verdict::Changed);
        assert_eq!(look(&Known { sex: Some(2), ..row() }, &sex, None), Verdict::Same);
    }

    #[test]
    fn who_is_erased_comes_back_only_by_following_again() {
        let gone = |left, erased| Known { follows: false, unfollow_time: left, erased_to: erased, ..row() };
        let cases = [
            (None, None, Some(10), Verdict::Returned),
            (None, None, None, Verdict::Returned),
            (Some(20), None, Some(19), Verdict::Kept),
            (Some(20), None, Some(20), Verdict::Returned),
            (Some(20), Some(20), Some(20), Verdict::Returned),
            (Some(20), Some(20), Some(21), Verdict::Returned),
            (None, Some(30), Some(30), Verdict::Kept),
            (None, Some(30), Some(10), Verdict::Kept),
            (None, Some(30), None, Verdict::Kept),
            (Some(20), Some(30), Some(31), Verdict::Returned),
        ];
        for (left, erased, since, expected) in cases {
            assert_eq!(
                look(&gone(left, erased), &Profile::default(), since),
                expected,
                "{left:?} {erased:?} {since:?}"
            );
        }
    }
}
