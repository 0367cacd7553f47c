//! A WeCom group robot: where alarms go.

use super::secret::Secret;

/// The robot's address, taken apart: the key is the only credential, so it never stands in a text.
#[derive(Debug, Clone)]
pub struct Robot {
    /// Base URL without a trailing slash: `https://qyapi.weixin.qq.com`, or a stand-in on this machine.
    pub base: String,
    /// What follows `?key=`.
    pub key: Secret,
}
