//! What proves and opens an account's callbacks: its Token and its EncodingAESKey, each with the one before it during a
//! change.

use super::access::Reader;
use super::keys::Setting;
use super::origins::Origins;
use super::source::Value;
use crate::domain::account::AesKey;
use crate::domain::secret::Secret;
use crate::error::Result;
use crate::say;

/// A setting, and the one that holds its value from before a change.
type Pair<'a> = (&'a Setting, &'a Setting);

impl Reader<'_> {
    /// The Tokens, each as the platform's console takes it.
    pub fn tokens(&self, pair: Pair<'_>, check: fn(&str) -> Result<()>, origins: &mut Origins) -> Result<Vec<Secret>> {
        let checked = |v: Value| check(v.text.reveal()).map_err(|error| v.wrap(error)).map(|()| v.text);
        self.pair(pair, origins)?.into_iter().map(checked).collect()
    }

    /// The AES keys.
    pub fn aes_keys(&self, pair: Pair<'_>, origins: &mut Origins) -> Result<Vec<AesKey>> {
        let parsed = |v: &Value| AesKey::parse(v.text.reveal()).map_err(|error| v.wrap(error));
        self.pair(pair, origins)?.iter().map(parsed).collect()
    }

    /// The current value and the one before it.
    fn pair(&self, (now, before): Pair<'_>, origins: &mut Origins) -> Result<Vec<Value>> {
        let (now_value, before_value) = (self.value(now, origins)?, self.value(before, origins)?);
        if now_value.is_none()
            && let Some(value) = &before_value
        {
            let names = self.names(now);
            return Err(value.error(say!("{names} is missing beside it"; "还缺少 {names}")));
        }
        let both: Vec<Value> = now_value.into_iter().chain(before_value).collect();
        match both.iter().find(|value| value.text.reveal().contains(char::is_whitespace)) {
            Some(value) => Err(value.error(say!("has a blank in it"; "含有空格"))),
            None => Ok(both),
        }
    }
}

/// The keys of the callbacks as no text may show them.
pub(super) fn hidden(tokens: &[Secret], aes_keys: &[AesKey]) -> Vec<Secret> {
    tokens.iter().cloned().chain(aes_keys.iter().map(AesKey::written)).collect()
}
