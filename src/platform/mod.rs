//! Calls to the platforms: one client, one table of errcodes, one file a resource.

pub mod errcode;
pub mod fresh;
pub mod http;
pub mod peer;
pub mod wechat;
pub mod wecom;

#[cfg(test)]
mod testing;

use crate::domain::account::{self, Access};

/// Whose API it is; half of the key of the errcode table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    /// api.weixin.qq.com: Official Accounts and mini-games.
    WeChat,
    /// qyapi.weixin.qq.com: WeCom, of which tokens, messages and the group robot are spoken.
    WeCom,
}

impl Platform {
    /// Both.
    pub const ALL: [Platform; 2] = [Platform::WeChat, Platform::WeCom];

    /// In whose way an account's API answers.
    pub fn of(account: &Access) -> Platform {
        match account.platform {
            account::Platform::Official | account::Platform::MiniGame => Platform::WeChat,
            account::Platform::WeCom => Platform::WeCom,
        }
    }

    /// The name in tables and as a metrics label.
    pub fn as_str(self) -> &'static str {
        match self {
            Platform::WeChat => "wechat",
            Platform::WeCom => "wecom",
        }
    }
}
