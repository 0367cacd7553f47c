//! How often a job runs, by the times at which it began, and from when on its silence is out of the ordinary.
//!
//! A timer begins its runs in even gaps. Where at least [`ENOUGH`] runs did so (three of four gaps lie within half and
//! one and a half times the median), the median is the usual gap. A job is overdue after three times that, after half as
//! much again as the longest gap so far (a job of working days rests over the weekend), and never within [`FLOOR_MS`].
//! One that nobody has missed for [`GIVEN_UP_MS`] and ten usual gaps was taken off its timer.

/// Runs without which nothing is usual.
const ENOUGH: usize = 5;
/// What is shorter is somebody who tries something out: a crontab knows minutes.
const SHORTEST_MS: i64 = 50_000;
/// So many usual gaps without a run are an alarm.
const FACTOR: i64 = 3;
/// No silence under a quarter of an hour is.
const FLOOR_MS: i64 = 15 * 60_000;
/// From then on nobody waits for it.
const GIVEN_UP_MS: i64 = 14 * 86_400_000;
const GIVEN_UP_GAPS: i64 = 10;

/// What is usual of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// The usual time from one begin to the next, milliseconds.
    pub gap_ms: i64,
    /// The longest of those looked at.
    longest_ms: i64,
}

impl Rhythm {
    /// By when runs began, milliseconds, in any order; `None` where that was too seldom or at no even gaps.
    pub fn of(mut begins: Vec<i64>) -> Option<Rhythm> {
        if begins.len() < ENOUGH {
            return None;
        }
        begins.sort_unstable();
        let mut gaps: Vec<i64> = begins.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let gap_ms = median(&mut gaps)?;
        let even = gaps.iter().filter(|gap| (gap_ms / 2..=gap_ms + gap_ms / 2).contains(*gap)).count();
        let regular = gap_ms >= SHORTEST_MS && even * 4 >= gaps.len() * 3;
        regular.then(|| Rhythm { gap_ms, longest_ms: gaps.last().copied().unwrap_or(gap_ms) })
    }

    /// Whether so long a time since the last run is out of the ordinary.
    pub fn overdue(&self, silence_ms: i64) -> bool {
        let late = (self.gap_ms * FACTOR).max(self.longest_ms + self.longest_ms / 2).max(FLOOR_MS);
        let given_up = (self.gap_ms * GIVEN_UP_GAPS).max(GIVEN_UP_MS);
        silence_ms > late && silence_ms <= given_up.max(late * 2)
    }
}

/// The middle one, which sorts them; of two the higher.
pub fn median(values: &mut [i64]) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MINUTE: i64 = 60_000;
    const DAY: i64 = 1440 * MINUTE;

    fn every(gap: i64, count: i64) -> Vec<i64> {
        (0..count).map(|n| 1_750_000_000_000 + n * gap + n % 3 * 1_000).collect()
    }

    #[test]
    fn a_timer_has_a_rhythm_and_a_person_has_none() {
        assert_eq!(Rhythm::of(every(DAY, 4)), None, "too few");
        assert_eq!(Rhythm::of(every(5_000, 30)), None, "somebody tries it out");
        assert_eq!(Rhythm::of(vec![0, DAY, DAY + MINUTE, 9 * DAY, 9 * DAY + 1, 30 * DAY]), None, "at no even gaps");
        let daily = Rhythm::of(every(DAY, 5)).unwrap();
        assert!((daily.gap_ms - DAY).abs() < MINUTE);
        assert!(!daily.overdue(3 * DAY) && daily.overdue(3 * DAY + MINUTE) && !daily.overdue(15 * DAY));
        let often = Rhythm::of(every(MINUTE, 20)).unwrap();
        assert!(!often.overdue(15 * MINUTE) && often.overdue(16 * MINUTE));
    }

    #[test]
    fn a_weekend_is_no_alarm() {
        let begins = [0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 14].map(|day| day * DAY).to_vec();
        let rhythm = Rhythm::of(begins).unwrap();
        assert_eq!(rhythm.gap_ms, DAY);
        assert!(!rhythm.overdue(3 * DAY + 60 * MINUTE) && rhythm.overdue(5 * DAY));
    }
}
