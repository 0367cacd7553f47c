//! Who is to blame that a token was refused: what `token_history` tells of it.

use crate::store::PastToken;

/// Clocks of hosts, and the platform's own, agree to so many milliseconds.
const ABOUT_MS: i64 = 5_000;

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// One of ours had stored a newer one by then.
    Ours,
    /// Its time was over.
    Ended,
    /// Its end was not known: a person had brought it.
    ByHand,
    /// Neither: another program replaced it.
    ThirdParty,
    /// Nobody replaced it: the platform gave it out again after it had refused it.
    Platform,
    /// Nothing has come after it yet that would tell.
    Open,
}

impl Verdict {
    /// The name, for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Ours => "ours",
            Verdict::Ended => "ended",
            Verdict::ByHand => "by_hand",
            Verdict::ThirdParty => "third_party",
            Verdict::Platform => "platform",
            Verdict::Open => "open",
        }
    }
}

/// Of the latest tokens, the newest first, those that were refused, each with the one that came after it and the verdict.
pub fn verdicts(past: &[PastToken]) -> Vec<(&PastToken, Option<&PastToken>, Verdict)> {
    let next = |token: &PastToken| past.iter().find(|next| next.generation == token.generation + 1);
    let refused = past.iter().filter(|token| token.refused.is_some());
    refused.map(|token| (token, next(token), judge(token, next(token)))).collect()
}

fn judge(token: &PastToken, next: Option<&PastToken>) -> Verdict {
    let Some(refused) = &token.refused else { return Verdict::Open };
    let at = refused.at.timestamp_millis();
    if next.is_some_and(|next| next.stored_at.timestamp_millis() < at) {
        return Verdict::Ours;
    }
    match token.expires_at {
        None => return Verdict::ByHand,
        Some(end) if at + ABOUT_MS >= end => return Verdict::Ended,
        Some(_) => {}
    }
    match next {
        // It is forced only where a normal call returned the very token that was refused.
        Some(next) if next.source == "forced" => Verdict::Platform,
        Some(_) => Verdict::ThirdParty,
        None => Verdict::Open,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::TokenRefusal;
    use chrono::DateTime;

    fn past(generation: i64, source: &str, stored: i64, end: Option<i64>, refused: Option<i64>) -> PastToken {
        let time = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let refusal = |at| TokenRefusal {
            at: time(at),
            code: Some(40001),
            api: "user/info".into(),
            rid: None,
            who: "h:1".into(),
        };
        PastToken {
            generation,
            digest: String::new(),
            source: source.to_owned(),
            who: "h:1".to_owned(),
            stored_at: time(stored),
            expires_at: end.map(|end| end * 1000),
            refused: refused.map(refusal),
            refusals: refused.map_or(0, |_| 1),
        }
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let end = Some(7200);
        let told = [
            past(9, "stable_token", 9000, Some(16_200), Some(9100)),
            past(8, "forced", 6000, Some(13_200), None),
            past(7, "stable_token", 5000, Some(12_200), Some(5900)),
            past(6, "stable_token", 4000, Some(11_200), None),
            past(5, "token set", 3900, None, Some(3950)),
            past(4, "token", 3000, Some(10_200), None),
            past(3, "token", 2000, Some(9_200), Some(2500)),
            past(2, "stable_token", 1000, Some(8_200), None),
            past(1, "stable_token", 0, end, Some(1400)),
        ];
        let found: Vec<_> =
            verdicts(&told).into_iter().map(|(token, _, verdict)| (token.generation, verdict)).collect();
        assert_eq!(
            found,
            [
                (9, Verdict::Open),
                (7, Verdict::Platform),
                (5, Verdict::ByHand),
                (3, Verdict::ThirdParty),
                (1, Verdict::Ours)
            ]
        );
        let ended = [past(2, "stable_token", 7300, None, None), past(1, "stable_token", 0, end, Some(7201))];
        assert_eq!(verdicts(&ended)[0].2, Verdict::Ended);
    }
}
