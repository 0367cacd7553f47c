//! Calls to the platforms: one client, one table of errcodes, one file a resource.

pub mod errcode;
pub mod http;
pub mod wechat;
pub mod wecom;

#[cfg(test)]
mod testing;

/// Whose API it is; half of the key of the errcode table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    /// api.weixin.qq.com: Official Accounts.
    WeChat,
    /// qyapi.weixin.qq.com: WeCom, of which the group robot is spoken.
    WeCom,
}

impl Platform {
    /// The name in tables and as a metrics label.
    pub fn as_str(self) -> &'static str {
        match self {
            Platform::WeChat => "wechat",
            Platform::WeCom => "wecom",
        }
    }
}
