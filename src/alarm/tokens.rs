//! Tokens that end and could not be renewed.

use super::{Finding, Kind};
use crate::app::App;
use crate::config::Config;
use crate::error::{Result, Text};
use crate::report::{escape, span};
use crate::say;
use crate::store::StoredToken;

/// So little of a token's life left, though another was asked for, is an alarm, milliseconds.
const LEFT_MS: i64 = 60_000;
/// Another was asked for when it was asked for this long before the end, milliseconds.
const DUE_MS: i64 = 300_000;
/// Where nobody has asked for so long, nobody needs one, milliseconds.
const IDLE_MS: i64 = 600_000;

/// How the token of an account stands.
#[derive(Debug, Clone)]
pub struct TokenState {
    /// The account's name.
    pub account: String,
    /// Its AppID or CorpID.
    pub app_id: String,
    /// What is stored.
    pub stored: StoredToken,
}

impl TokenState {
    pub(super) async fn look_all(app: &App, config: &Config) -> Result<Vec<TokenState>> {
        let mut states = Vec::new();
        for account in config.accesses() {
            let stored = app.store.stored_token(&account.name).await?;
            states.push(TokenState { account: account.name.clone(), app_id: account.app_id.clone(), stored });
        }
        Ok(states)
    }

    fn ending(&self, now_ms: i64) -> Option<Finding> {
        let end = self.stored.expires_at?;
        let asked = self.stored.asked_at;
        if end - now_ms >= LEFT_MS || asked < end - DUE_MS || now_ms - asked > IDLE_MS {
            return None;
        }
        let held = self.stored.hold.as_ref().filter(|hold| hold.until > now_ms);
        let why = held.map_or_else(
            || say!(""; ""),
            |hold| {
                let reason = escape(&hold.reason);
                say!(": {reason}"; "：{reason}")
            },
        );
        let (why_en, why_zh) = (why.en, why.zh);
        let what = match end > now_ms {
            true => {
                let left = span(end - now_ms);
                let (en, zh) = (left.en, left.zh);
                say!("the access_token ends in {en} and could not be renewed{why_en}"; "access_token 将在 {zh}后到期且未能换新{why_zh}")
            }
            false => {
                let ago = span(now_ms - end);
                let (en, zh) = (ago.en, ago.zh);
                say!("the access_token ended {en} ago and could not be renewed{why_en}"; "access_token 已在 {zh}前到期且未能换新{why_zh}")
            }
        };
        let (name, app_id) = (&self.account, &self.app_id);
        Some(Finding {
            kind: Kind::Token,
            account: name.clone(),
            of: of(name, app_id),
            size: 0,
            patience_ms: 0,
            what,
            next: say!(
                "wxops token refresh --account {name} (it says what to mend)";
                "wxops token refresh --account {name}（会说明如何修复）"
            ),
        })
    }
}

/// What somebody should know of them.
pub(super) fn findings(tokens: &[TokenState], now_ms: i64) -> impl Iterator<Item = Finding> {
    tokens.iter().filter_map(move |token| token.ending(now_ms))
}

fn of(account: &str, app_id: &str) -> Text {
    say!("{account} ({app_id})"; "{account}（{app_id}）")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_token_that_was_asked_for_in_vain_is_an_alarm() {
        let end = 10_000_000;
        let alarm = |asked_at, now_ms| {
            let stored = StoredToken { expires_at: Some(end), asked_at, ..StoredToken::default() };
            let state = TokenState { account: "main".into(), app_id: "wx1".into(), stored };
            state.ending(now_ms).map(|finding| finding.what.en)
        };
        assert_eq!(alarm(end - 100_000, end - 60_000), None, "a minute is left");
        assert!(alarm(end - 100_000, end - 59_000).is_some_and(|what| what.contains("ends in")));
        assert!(alarm(end + 1_000, end + 2_000).is_some_and(|what| what.contains("ended")));
        assert_eq!(alarm(end - 7_200_000, end + 2_000), None, "nobody has asked for another");
        assert_eq!(alarm(end - 100_000, end + 900_000), None, "nobody needs one any more");
    }
}
