//! The configuration could be read, so its files are private and its values make sense. What else is worth a word.

use super::finding::{Check, Finding};
use crate::config::{Config, Sources};
use crate::say;

pub(super) fn check(config: &Config, sources: &Sources) -> Vec<Finding> {
    let mut findings = Vec::new();
    match config.check_use() {
        Err(error) => findings.push(Finding::fail(Check::Configuration, None, error)),
        Ok(()) => findings.push(Finding::ok(Check::Configuration, None, read(config))),
    }
    for account in &config.officials {
        let name = Some(account.name.as_str());
        if let Err(error) = config.tokens_of(account) {
            findings.push(Finding::fail(Check::Configuration, name, error));
        }
        if account.secret.is_none() {
            findings.push(Finding::warn(
                Check::Configuration,
                name,
                say!(
                    "no AppSecret: callbacks are taken, but nothing is asked of WeChat";
                    "没有 AppSecret：可以接收回调，但不会调用微信接口"
                ),
                say!("set WECHAT_APP_SECRET, or app_secret in the file"; "请设置 WECHAT_APP_SECRET，或配置文件中的 app_secret"),
            ));
        }
    }
    for warning in &config.warnings {
        let mend =
            say!("mount it with mode 0400 (defaultMode) if you can"; "若可能，请以 0400 权限挂载（defaultMode）");
        findings.push(Finding::warn(Check::Configuration, None, warning.clone(), mend));
    }
    for (strange, ours) in Config::nearly_ours(sources) {
        findings.push(Finding::warn(
            Check::Configuration,
            None,
            say!("{strange} is in the environment and means nothing to wxops"; "环境变量 {strange} 对 wxops 没有意义"),
            say!("if {ours} is meant, rename it"; "如果本意是 {ours}，请改名"),
        ));
    }
    findings
}

/// What was read, and of whom it speaks.
fn read(config: &Config) -> crate::error::Text {
    let files = [&config.file, &config.dotenv];
    let files: Vec<_> = files.into_iter().flatten().map(|path| path.display().to_string()).collect();
    let accounts: Vec<_> = config.officials.iter().map(|a| format!("{} ({})", a.name, a.mode.as_str())).collect();
    let wecom = config
        .wecoms
        .iter()
        .filter(|wecom| wecom.receives() || wecom.sends())
        .map(|wecom| format!("{} (wecom)", wecom.name));
    let accounts: Vec<_> = accounts.into_iter().chain(wecom).collect();
    let (files, accounts) = (files.join(", "), accounts.join(", "));
    if files.is_empty() {
        return say!("environment alone; accounts: {accounts}"; "仅环境变量；账号：{accounts}");
    }
    say!("{files}, closed to others; accounts: {accounts}"; "{files}，未对他人开放；账号：{accounts}")
}
