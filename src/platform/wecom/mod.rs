//! WeCom: qyapi.weixin.qq.com, one file a resource.

pub mod message;
pub mod token;
pub mod webhook;
