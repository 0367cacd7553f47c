//! Official Accounts: api.weixin.qq.com, one file a resource.

pub mod address;
pub mod quota;
pub mod rid;
pub mod token;
pub mod user;

#[cfg(test)]
mod tests;
