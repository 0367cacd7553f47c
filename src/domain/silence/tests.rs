#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Wednesday, 2026-11-18, noon in Beijing.
const NOON: i64 = 1_794_974_400_000;

/// What is around the moments of now in a history in order.
fn around(history: &[i64], now: i64) -> Vec<Around> {
    let between = |moment: i64| {
        let at = history.partition_point(|time| *time <= moment);
        Around { before: at.checked_sub(1).map(|at| history[at]), after: history.get(at).copied() }
    };
    moments(now).into_iter().map(between).collect()
}

/// What is usual at a time, when only what came before it is known.
fn usual_at(history: &[i64], now: i64) -> Option<i64> {
    let known = &history[..history.partition_point(|time| *time <= now)];
    usual(now, *known.last()?, &around(known, now))
}

fn alarms_at(history: &[i64], now: i64) -> bool {
    let last = history[..history.partition_point(|time| *time <= now)].last().copied().unwrap();
    usual_at(history, now).is_some_and(|usual| now - last > alarm_after(usual))
}

/// Callbacks by chance, so many an hour as `rate` says of an hour of the week in Beijing (0: Monday, 0 h).
fn by_chance(seed: u64, from: i64, to: i64, rate: impl Fn(usize) -> f64) -> Vec<i64> {
    let mut random = StdRng::seed_from_u64(seed);
    let most = (0..168).map(&rate).fold(0.0, f64::max);
    let (mut at, mut history) = (from as f64, Vec::new());
    loop {
        at -= random.random::<f64>().ln() / most * HOUR_MS as f64;
        if at as i64 > to {
            return history;
        }
        let hour = (at as i64 + SHANGHAI_MS + 3 * DAY_MS).div_euclid(HOUR_MS).rem_euclid(168) as usize;
        if random.random::<f64>() < rate(hour) / most {
            history.push(at as i64);
        }
    }
}

fn every(step: i64, from: i64, to: i64) -> Vec<i64> {
    (from..=to).step_by(usize::try_from(step).unwrap()).collect()
}

#[test]
fn days_of_the_week() {
    assert!(!is_weekend(NOON) && !is_weekend(NOON + 2 * DAY_MS) && is_weekend(NOON + 3 * DAY_MS));
    assert!(is_weekend(NOON + 4 * DAY_MS) && !is_weekend(NOON + 5 * DAY_MS));
    // Friday 23:59 and Saturday 0:00 in Beijing.
    assert!(!is_weekend(NOON + 2 * DAY_MS + 12 * HOUR_MS - 1) && is_weekend(NOON + 2 * DAY_MS + 12 * HOUR_MS));
}

#[test]
fn one_every_five_minutes() {
    let history = every(5 * MINUTE_MS, NOON - 70 * DAY_MS, NOON - 22 * MINUTE_MS);
    assert_eq!(usual_at(&history, NOON), Some(5 * MINUTE_MS));
    assert!(alarms_at(&history, NOON));
    let last = *history.last().unwrap();
    assert!(!alarms_at(&history, last + 15 * MINUTE_MS) && alarms_at(&history, last + 15 * MINUTE_MS + 1));
}

#[test]
fn a_torrent_is_silent_after_five_minutes() {
    let history = every(20_000, NOON - 30 * DAY_MS, NOON);
    assert_eq!(usual_at(&history, NOON), Some(20_000));
    assert!(!alarms_at(&history, NOON + FLOOR_MS) && alarms_at(&history, NOON + FLOOR_MS + 1));
}

/// Nobody writes from 23:30 to about 7:30, later at weekends.
#[test]
fn nights_are_silent() {
    let awake = |hour: usize| match (hour / 24, hour % 24) {
        (_, 0..8) => 0.0,
        (5 | 6, 8..10) => 1.0,
        _ => 60.0,
    };
    let history = by_chance(7, NOON - 60 * DAY_MS, NOON, awake);
    for minutes in (0..7 * 24 * 60).step_by(10) {
        let now = NOON - 7 * DAY_MS + minutes * MINUTE_MS;
        assert!(!alarms_at(&history, now), "at {minutes} min");
    }
    // Cut off at noon: noticed within half an hour. Cut off in the evening: in the morning.
    let usual = usual_at(&history, NOON).unwrap();
    assert!(alarm_after(usual) < 30 * MINUTE_MS, "{usual}");
    assert!(alarms_at(&history, NOON + 30 * MINUTE_MS));
    let evening = NOON + 11 * HOUR_MS;
    let history = [&history[..], &every(MINUTE_MS, NOON, evening)].concat();
    assert!(!alarms_at(&history, NOON + 18 * HOUR_MS), "it is night");
    assert!(alarms_at(&history, NOON + 22 * HOUR_MS), "10 o'clock");
}

/// Business hours only: the weekend is no alarm, and makes a working day no less alert.
#[test]
fn weekends_are_silent() {
    let business = |hour: usize| if hour / 24 < 5 && (9..18).contains(&(hour % 24)) { 30.0 } else { 0.0 };
    let history = by_chance(3, NOON - 60 * DAY_MS, NOON, business);
    for hour in 0..7 * 24 {
        assert!(!alarms_at(&history, NOON - 7 * DAY_MS + hour * HOUR_MS), "{hour} h");
    }
    assert!(alarm_after(usual_at(&history, NOON).unwrap()) < HOUR_MS);
}

#[test]
fn three_a_day() {
    let history = by_chance(11, NOON - 90 * DAY_MS, NOON, |_| 3.0 / 24.0);
    let usual = usual_at(&history, NOON).unwrap();
    assert!((12 * HOUR_MS..48 * HOUR_MS).contains(&usual), "{} h", usual / HOUR_MS);
    assert!(!alarms_at(&history, NOON + DAY_MS) && alarms_at(&history, NOON + 6 * DAY_MS));
}

/// A campaign brings a hundred times as many; afterwards it is as it was.
#[test]
fn bursts_of_a_campaign() {
    let base = by_chance(5, NOON - 60 * DAY_MS, NOON, |_| 6.0);
    let mut history = base.clone();
    for day in [50, 43, 36, 29, 22, 15, 8, 1] {
        history.extend(every(1000, NOON - day * DAY_MS - HOUR_MS, NOON - day * DAY_MS + HOUR_MS));
    }
    history.sort_unstable();
    let (calm, burst) = (usual_at(&base, NOON).unwrap(), usual_at(&history, NOON).unwrap());
    assert!(burst > calm / 3 && burst <= calm, "{burst} of {calm}");
    let false_alarms = (0..1000).filter(|step| alarms_at(&history, NOON - step * 20 * MINUTE_MS)).count();
    assert_eq!(false_alarms, 0);
}

#[test]
fn a_new_account_has_nothing_usual() {
    let history = every(MINUTE_MS, NOON - 6 * DAY_MS - 12 * HOUR_MS, NOON);
    assert_eq!(usual_at(&history, NOON), None);
    assert_eq!(usual(NOON, NOON, &around(&[], NOON)), None);
    assert_eq!(usual_at(&every(MINUTE_MS, NOON - 8 * DAY_MS, NOON), NOON), Some(MINUTE_MS));
    // Tried once, used weeks later: what lies between is no alarm.
    let history = [&every(1000, NOON - 30 * DAY_MS, NOON - 30 * DAY_MS + 20_000)[..], &[NOON]].concat();
    assert!((1..29).all(|day| !alarms_at(&history, NOON - day * DAY_MS)));
}

/// A week's holiday is one alarm, and afterwards a silence is noticed as before it.
#[test]
fn a_silent_holiday_does_not_become_usual() {
    let awake = |hour: usize| if (8..23).contains(&(hour % 24)) { 30.0 } else { 0.0 };
    let whole = by_chance(9, NOON - 60 * DAY_MS, NOON, awake);
    let (from, to) = (NOON - 20 * DAY_MS, NOON - 13 * DAY_MS);
    let history: Vec<i64> = whole.iter().copied().filter(|time| !(from..to).contains(time)).collect();
    assert!(alarms_at(&history, from + HOUR_MS));
    let (before, after) = (usual_at(&whole, NOON).unwrap(), usual_at(&history, NOON).unwrap());
    assert!(after < before * 2 && alarms_at(&history, NOON + HOUR_MS), "{after} of {before}");
}

/// Rarer for good: after ten days that is usual.
#[test]
fn who_is_written_to_less_is_known_as_that() {
    let history =
        [every(MINUTE_MS, NOON - 60 * DAY_MS, NOON - 12 * DAY_MS), every(HOUR_MS, NOON - 12 * DAY_MS, NOON)].concat();
    assert!(alarms_at(&history, NOON - 11 * DAY_MS + 59 * MINUTE_MS));
    assert!(!alarms_at(&history, NOON + 59 * MINUTE_MS));
}

/// A clock that was wrong leaves rows out of order, and in the future.
#[test]
fn a_clock_that_was_set() {
    let mut rows = every(MINUTE_MS, NOON - 60 * DAY_MS, NOON);
    rows.iter_mut()
        .filter(|time| (NOON - 10 * DAY_MS..NOON - 9 * DAY_MS).contains(*time))
        .for_each(|time| *time += 3 * DAY_MS);
    rows.push(NOON + DAY_MS);
    let last = *rows.last().unwrap();
    rows.sort_unstable();
    assert_eq!(usual(NOON, last, &around(&rows, NOON)), Some(MINUTE_MS));
    let backwards = [Around { before: Some(5), after: Some(3) }, Around { before: Some(i64::MAX), after: None }];
    assert!(backwards.iter().all(|gap| length(gap, 7, 9) == 0));
}

/// By pure chance a year brings no more than a few alarms, whatever the rate.
#[test]
fn chance_seldom_alarms() {
    for (a_day, at_most) in [(3.0, 2), (24.0, 3), (288.0, 2), (1440.0, 2)] {
        let history = by_chance(21, NOON - 300 * DAY_MS, NOON, |_| a_day / 24.0);
        let mut false_alarms = 0;
        for pair in history.windows(2).filter(|pair| pair[0] > NOON - 240 * DAY_MS) {
            // Only gaps that could be one are looked at: their end is when they are longest.
            let long = pair[1] - pair[0] > FLOOR_MS && (pair[1] - pair[0]) as f64 > 6.0 * DAY_MS as f64 / a_day;
            false_alarms += usize::from(long && alarms_at(&history, pair[1] - 1));
        }
        assert!(false_alarms <= at_most, "{a_day} a day: {false_alarms}");
    }
}

proptest! {
    /// Whatever stands in the table: no panic, and what is usual is a length.
    #[test]
    fn any_rows(mut rows in prop::collection::vec(any::<i64>(), 0..50), now in 0..4_000_000_000_000i64, last in any::<i64>()) {
        rows.sort_unstable();
        let gaps: Vec<Around> = around(&rows, now);
        if let Some(usual) = usual(now, last, &gaps) {
            prop_assert!(usual >= 0 && alarm_after(usual) >= FLOOR_MS);
        }
    }
}
