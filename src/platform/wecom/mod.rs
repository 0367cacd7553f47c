//! WeCom: qyapi.weixin.qq.com, one file a resource.

pub mod token;
pub mod webhook;
