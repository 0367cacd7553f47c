//! What a WeCom application has beside what every account has: the keys of its callback, and whom its messages go to.

use super::access::Reader;
use super::callback;
use super::keys;
use super::origins::Origins;
use super::values;
use crate::domain::account::{AesKey, WeCom};
use crate::domain::notice::Recipient;
use crate::domain::secret::Secret;
use crate::error::Result;
use crate::say;

impl Reader<'_> {
    /// The application; `None` where its CorpID is missing.
    pub fn wecom(&self, origins: &mut Origins) -> Result<Option<WeCom>> {
        let Some(mut access) = self.access(origins)? else { return Ok(None) };
        let tokens = self.tokens((&keys::WECOM_TOKEN, &keys::WECOM_TOKEN_PREVIOUS), values::wecom_token, origins)?;
        let aes_keys = self.aes_keys((&keys::WECOM_AES_KEY, &keys::WECOM_AES_KEY_PREVIOUS), origins)?;
        self.both_or_none(&tokens, &aes_keys)?;
        let to_user = self.parsed(&keys::TO_USER, origins, |text| Recipient::list(text).map(|_| text.to_owned()))?;
        let webhook_key =
            self.parsed(&keys::WEBHOOK_KEY, origins, |text| values::webhook_key(text).map(|()| Secret::new(text)))?;
        access.hidden = callback::hidden(&tokens, &aes_keys);
        access.hidden.extend(webhook_key.clone());
        let wecom = WeCom { access, tokens, aes_keys, to_user, webhook_key };
        self.usable(&wecom)?;
        Ok(Some(wecom))
    }

    /// There is no clear-text mode: neither is of use alone (WeCom reference 5).
    fn both_or_none(&self, tokens: &[Secret], aes_keys: &[AesKey]) -> Result<()> {
        let (there, missing) = match (tokens, aes_keys) {
            ([_, ..], []) => (&keys::WECOM_TOKEN, &keys::WECOM_AES_KEY),
            ([], [_, ..]) => (&keys::WECOM_AES_KEY, &keys::WECOM_TOKEN),
            _ => return Ok(()),
        };
        let missing = self.names(missing);
        let Some(value) = self.layers.get(there, self.scope())? else { return Ok(()) };
        Err(value.error(say!("{missing} is missing beside it"; "还缺少 {missing}")).next(say!(
            "WeCom encrypts every callback: set both as its console shows them (接收消息)";
            "企业微信的回调都是加密的：请按管理后台“接收消息”页设置这两项"
        )))
    }

    /// What sends needs its AgentId, which tells it from its neighbours; what only receives, or only has a robot, can do
    /// without.
    fn usable(&self, wecom: &WeCom) -> Result<()> {
        let missing = match (wecom.has_token(), wecom.agent_id) {
            (true, Some(_)) => return Ok(()),
            (false, _) if wecom.receives() || wecom.webhook_key.is_some() => return Ok(()),
            (_, None) => &keys::AGENT_ID,
            (false, Some(_)) => &keys::CORP_SECRET,
        };
        self.missing(&keys::CORP_ID, missing)
    }
}
