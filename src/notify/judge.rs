//! What an error makes of a row and of its channel. Only an answer costs an attempt: what the network or the channel did
//! is no fault of the message.

use crate::error::{Error, Kind, Then};
use crate::store::queue::{Counted, Fate};
use std::time::Duration;

/// Between the attempts of a row: after the first so long, then four times as long, an hour at the most; a fifth more or
/// less, so that rows that failed together do not come back together (WeCom reference 7.5).
const FIRST_MS: i64 = 30_000;
const LONGEST_MS: i64 = 3_600_000;
/// The same bytes again, where nobody knows whether they arrived, milliseconds.
const UNKNOWN_MS: std::ops::Range<i64> = 2_000..4_000;
/// After 45033, too many calls at once.
const CROWDED_MS: std::ops::Range<i64> = 1_000..2_000;
const CROWDED: i64 = 45_033;
/// Longer ones are no reason that a person reads.
const REASON: usize = 400;

/// What follows from an error.
#[derive(Debug)]
pub struct Verdict {
    /// For the row.
    pub fate: Fate,
    /// For the budget.
    pub counted: Counted,
    /// For the channel.
    pub channel: Channel,
}

/// What follows for the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// It answers.
    Well,
    /// It did not answer.
    Silent,
    /// Fewer calls at once.
    Crowded,
    /// Nothing can be sent before so long.
    Paused(Duration),
    /// Nothing can be sent before a person has acted.
    Stopped,
}

/// What follows from an error for a row with so many answered sends, of which it has so many.
pub fn judge(error: &Error, attempts: i64, max_attempts: i64) -> Verdict {
    let reason = reason(error);
    let code = error.errcode;
    let back = |in_ms, channel| {
        let fate = Fate::Back { in_ms, thaw: false, reason: Some(reason.clone()) };
        Verdict { fate, counted: Counted::Not, channel }
    };
    let Some(errcode) = code else {
        return match error.kind {
            Kind::Config | Kind::Refused => back(0, Channel::Stopped),
            // Without a token, or while the name of the platform can't be found: nothing has left.
            Kind::Unavailable => back(0, Channel::Silent),
            Kind::Unknown => Verdict {
                fate: Fate::Unknown { in_ms: rand::random_range(UNKNOWN_MS), reason },
                counted: Counted::Sent,
                channel: Channel::Silent,
            },
            _ => dead(None, reason, false),
        };
    };
    match (errcode, error.kind, error.then) {
        (CROWDED, ..) => back(rand::random_range(CROWDED_MS), Channel::Crowded),
        (_, Kind::Refused | Kind::Config, _) => back(0, Channel::Stopped),
        (_, _, Then::Never) => dead(code, reason, true),
        // Busy: an answer like any other.
        (-1 | 6000, ..) | (_, _, Then::Again) => again(code, reason, attempts, max_attempts),
        (_, _, Then::Pause { after, .. }) => back(0, Channel::Paused(after)),
    }
}

fn again(code: Option<i64>, reason: String, attempts: i64, max_attempts: i64) -> Verdict {
    let made = attempts + 1;
    if made >= max_attempts {
        return dead(code, reason, true);
    }
    let fate = Fate::Again { in_ms: backoff_ms(made), code, reason };
    Verdict { fate, counted: Counted::Not, channel: Channel::Well }
}

fn dead(code: Option<i64>, reason: String, answered: bool) -> Verdict {
    Verdict { fate: Fate::Dead { code, reason, answered }, counted: Counted::Not, channel: Channel::Well }
}

/// Why, as it stands in the row.
pub fn reason(error: &Error) -> String {
    error.what.en.chars().take(REASON).collect()
}

/// How long a row waits after so many attempts.
fn backoff_ms(made: i64) -> i64 {
    let doubled = u32::try_from(made - 1).unwrap_or(0).min(8);
    let wait = (FIRST_MS * 4_i64.pow(doubled)).min(LONGEST_MS);
    wait * rand::random_range(80..=120) / 100
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::say;

    fn answered(code: i64, kind: Kind, then: Then) -> Error {
        let mut error = Error::new(kind, say!("message/send: errcode {code}"; "")).then(then);
        error.errcode = Some(code);
        error
    }

    #[test]
    fn an_answer_costs_an_attempt_and_the_last_one_the_row() {
        let busy = answered(-1, Kind::Unavailable, Then::Pause { after: Duration::from_secs(5), whole_account: false });
        for (attempts, from, to) in [(0, 24_000, 36_000), (1, 96_000, 144_000)] {
            let verdict = judge(&busy, attempts, 3);
            assert!(
                matches!(verdict.fate, Fate::Again { in_ms, code: Some(-1), .. } if (from..=to).contains(&in_ms)),
                "{verdict:?}"
            );
            assert_eq!((verdict.channel, verdict.counted), (Channel::Well, Counted::Not));
        }
        assert!(matches!(judge(&busy, 2, 3).fate, Fate::Dead { answered: true, .. }));
        assert!((80 * LONGEST_MS / 100..=120 * LONGEST_MS / 100).contains(&backoff_ms(40)));
    }

    #[test]
    fn the_channels_troubles_cost_none() {
        let pause = |seconds| Then::Pause { after: Duration::from_secs(seconds), whole_account: false };
        for (error, channel) in [
            (answered(45009, Kind::Unavailable, pause(60)), Channel::Paused(Duration::from_secs(60))),
            (answered(60020, Kind::Refused, pause(60)), Channel::Stopped),
            (answered(40001, Kind::Refused, pause(60)), Channel::Stopped),
            (answered(45033, Kind::Unavailable, pause(1)), Channel::Crowded),
            (Error::config(say!("no base"; "")), Channel::Stopped),
        ] {
            let verdict = judge(&error, 2, 3);
            assert!(matches!(verdict.fate, Fate::Back { thaw: false, .. }), "{verdict:?}");
            assert_eq!((verdict.channel, verdict.counted), (channel, Counted::Not));
        }
    }

    #[test]
    fn what_cannot_get_better_is_dead_at_once_and_what_is_not_known_is_repeated() {
        assert!(matches!(
            judge(&answered(81013, Kind::Failed, Then::Never), 0, 3).fate,
            Fate::Dead { code: Some(81013), .. }
        ));
        let lost = Error::new(Kind::Unknown, say!("no answer"; ""));
        let verdict = judge(&lost, 0, 3);
        assert!(matches!(verdict.fate, Fate::Unknown { .. }));
        assert_eq!((verdict.channel, verdict.counted), (Channel::Silent, Counted::Sent));
    }
}
