//! WxJava (`com.github.binarywang`): read in 4.7.2.B, and in the tags from 3.8.0 on, with Jedis or a `RedisTemplate`; the value
//! is the bare token. With Redisson the bytes are those of its client's codec: its `StringCodec` reads these.
//! A key that Redis would not end is taken for an expired one.

use crate::domain::account::{Access, Platform};

/// `WxMpRedisConfigImpl`, `WxCpRedisTemplateConfigImpl` (4.6.0 and later), `WxMaRedisBetterConfigImpl`; the prefixes
/// are those of the Spring Boot starters for one account.
pub(super) fn key(prefix: Option<&str>, account: &Access) -> String {
    let id = &account.app_id;
    match account.platform {
        Platform::Official => format!("{}:access_token:{id}", prefix.unwrap_or("wx")),
        Platform::MiniGame => format!("{}:access_token:{id}", prefix.unwrap_or("wa")),
        Platform::WeCom => {
            let prefix = prefix.unwrap_or("wx:cp");
            let colon = if prefix.is_empty() || prefix.ends_with(':') { "" } else { ":" };
            let agent = account.agent_id.map(|agent| format!(":{agent}")).unwrap_or_default();
            format!("{prefix}{colon}wechat_cp_access_token_key:{id}{agent}")
        }
    }
}
