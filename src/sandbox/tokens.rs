//! The rules of access_tokens (reference 3.1 and 3.2, vectors `official-account-token.json`).

use super::clock::beijing_day;
use super::errcode::{Refusal, refuse};
use super::noise::Noise;
use std::collections::HashMap;

/// A token lives two hours.
const LIFE_MS: i64 = 7200 * 1000;
/// The legacy endpoint's old token lives on so long beside the new one.
const OVERLAP_MS: i64 = 300 * 1000;
/// The stable token is renewed so long before its end.
const RENEW_MS: i64 = 300 * 1000;
/// Two forced refreshes are at least so far apart.
const FORCE_APART_MS: i64 = 30 * 1000;
/// Forced refreshes a day.
const FORCE_A_DAY: u32 = 20;
/// Tokens are forgotten so long after their end; until then they answer "expired".
const REMEMBER_MS: i64 = 3 * 24 * 3600 * 1000;
/// How a token of api.weixin.qq.com begins, and the letters behind.
const WECHAT: (&str, usize) = ("97_", 133);
/// The same of qyapi.weixin.qq.com.
const WECOM: (&str, usize) = ("", 214);
/// What a token is written with.
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A token as given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The text.
    pub access_token: String,
    /// Seconds left.
    pub expires_in: i64,
}

struct Grant {
    ends_ms: i64,
    dead_from_ms: Option<i64>,
}

/// The tokens of one account.
pub struct Tokens {
    look: (&'static str, usize),
    noise: Noise,
    grants: HashMap<String, Grant>,
    legacy: Option<String>,
    stable: Option<String>,
    forced_at_ms: Option<i64>,
    forced_on: (i64, u32),
    issued: u64,
}

impl Tokens {
    /// No token yet. `seed` should differ from run to run: a restarted platform does not give out again
    /// the very token that it no longer knows.
    pub fn new(seed: u64) -> Self {
        Tokens {
            look: WECHAT,
            noise: Noise::new(seed),
            grants: HashMap::new(),
            legacy: None,
            stable: None,
            forced_at_ms: None,
            forced_on: (0, 0),
            issued: 0,
        }
    }

    /// The same for an app of WeCom, whose tokens look different. Its gettoken is [`Tokens::stable`].
    pub fn wecom(seed: u64) -> Self {
        Tokens { look: WECOM, ..Tokens::new(seed) }
    }

    /// `cgi-bin/token`: always a new one; the one before lives five minutes more.
    pub fn legacy(&mut self, now_ms: i64) -> Given {
        if let Some(grant) = self.legacy.take().and_then(|old| self.grants.get_mut(&old)) {
            grant.dead_from_ms = Some(now_ms + OVERLAP_MS);
        }
        let given = self.issue(now_ms);
        self.legacy = Some(given.access_token.clone());
        given
    }

    /// `stable_token`, normal mode: the same one until five minutes before its end. The one before lives
    /// to its own end.
    pub fn stable(&mut self, now_ms: i64) -> Given {
        if let Some(given) = self.current_stable(now_ms) {
            return given;
        }
        let given = self.issue(now_ms);
        self.stable = Some(given.access_token.clone());
        given
    }

    /// `stable_token` with `force_refresh`: a new one, the old one dies at once; 30 s apart, 20 a day.
    pub fn forced(&mut self, now_ms: i64) -> Result<Given, Refusal> {
        if self.forced_at_ms.is_some_and(|at| (0..FORCE_APART_MS).contains(&(now_ms - at))) {
            return refuse(45011);
        }
        let today = beijing_day(now_ms);
        if self.forced_on.0 != today {
            self.forced_on = (today, 0);
        }
        if self.forced_on.1 >= FORCE_A_DAY {
            return refuse(45009);
        }
        self.forced_on.1 += 1;
        self.forced_at_ms = Some(now_ms);
        if let Some(grant) = self.stable.take().and_then(|old| self.grants.get_mut(&old)) {
            grant.dead_from_ms = Some(now_ms);
        }
        let given = self.issue(now_ms);
        self.stable = Some(given.access_token.clone());
        Ok(given)
    }

    /// Whether a call with this token may pass: `None` for one that was never given out here.
    pub fn check(&self, token: &str, now_ms: i64) -> Option<Result<(), Refusal>> {
        let grant = self.grants.get(token)?;
        Some(match grant.dead_from_ms {
            Some(dead) if now_ms >= dead => refuse(40001),
            _ if now_ms >= grant.ends_ms => refuse(42001),
            _ => Ok(()),
        })
    }

    /// Ends every token before its time, as the platform does now and then; how many lived.
    pub fn revoke(&mut self, now_ms: i64) -> usize {
        let living = |grant: &&mut Grant| now_ms < grant.ends_ms.min(grant.dead_from_ms.unwrap_or(i64::MAX));
        let ended = self.grants.values_mut().filter(living).map(|grant| grant.dead_from_ms = Some(now_ms)).count();
        (self.legacy, self.stable) = (None, None);
        ended
    }

    /// How many were given out.
    pub fn issued(&self) -> u64 {
        self.issued
    }

    fn current_stable(&self, now_ms: i64) -> Option<Given> {
        let token = self.stable.as_ref()?;
        let left = self.grants.get(token)?.ends_ms - now_ms;
        let fresh = left > RENEW_MS;
        fresh.then(|| Given { access_token: token.clone(), expires_in: left / 1000 })
    }

    fn issue(&mut self, now_ms: i64) -> Given {
        self.grants.retain(|_, grant| now_ms < grant.ends_ms + REMEMBER_MS);
        self.issued += 1;
        let access_token = format!("{}{}", self.look.0, self.noise.word(LETTERS, self.look.1));
        self.grants.insert(access_token.clone(), Grant { ends_ms: now_ms + LIFE_MS, dead_from_ms: None });
        Given { access_token, expires_in: LIFE_MS / 1000 }
    }
}

/// Whether a text looks like a token of WeCom rather than of WeChat, which begins with a number and `_`.
pub fn looks_like_wecom(token: &str) -> bool {
    let of_wechat = token.split_once('_').is_some_and(|(number, _)| number.parse::<u16>().is_ok());
    !of_wechat && token.len() == WECOM.1
}
