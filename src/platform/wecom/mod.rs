//! WeCom: qyapi.weixin.qq.com, one file a resource.

pub mod address;
pub mod message;
pub mod token;
pub mod webhook;
