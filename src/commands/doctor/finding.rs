//! What a check found: well, worth a warning, or a failure with its mend.

use super::GRAVEST;
use crate::error::{Error, Kind, Lang, Text};
use crate::report::{Report, escape};
use crate::say;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

/// What is looked at. The names are an interface of `--json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    Configuration,
    Serve,
    Database,
    Disk,
    Inbox,
    Spool,
    Redis,
    Hooks,
    Queue,
    Api,
    Credentials,
    IpList,
    Token,
    Channel,
    Callback,
    Clock,
}

impl Check {
    fn name(self) -> &'static str {
        match self {
            Check::Configuration => "configuration",
            Check::Serve => "serve",
            Check::Database => "database",
            Check::Disk => "disk",
            Check::Inbox => "inbox",
            Check::Spool => "spool",
            Check::Redis => "redis",
            Check::Hooks => "hooks",
            Check::Queue => "queue",
            Check::Api => "api",
            Check::Credentials => "credentials",
            Check::IpList => "ip_list",
            Check::Token => "token",
            Check::Channel => "channel",
            Check::Callback => "callback",
            Check::Clock => "clock",
        }
    }

    fn label(self) -> Text {
        match self {
            Check::Configuration => say!("configuration"; "配置"),
            Check::Serve => say!("serve"; "服务"),
            Check::Database => say!("database"; "数据库"),
            Check::Disk => say!("disk"; "磁盘"),
            Check::Inbox => say!("inbox"; "收件箱"),
            Check::Spool => say!("spool"; "暂存"),
            Check::Redis => say!("Redis"; "Redis"),
            Check::Hooks => say!("hooks"; "hook"),
            Check::Queue => say!("queue"; "通知队列"),
            Check::Api => say!("API"; "接口地址"),
            Check::Credentials => say!("credentials"; "账号凭据"),
            Check::IpList => say!("IP list"; "IP 白名单"),
            Check::Token => say!("access_token"; "access_token"),
            Check::Channel => say!("channel"; "通道"),
            Check::Callback => say!("callback URL"; "回调地址"),
            Check::Clock => say!("clock"; "时钟"),
        }
    }
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    Warn,
    Fail(Kind),
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Fail(_) => "fail",
        }
    }

    fn label(self) -> Text {
        match self {
            State::Ok => say!("ok"; "正常"),
            State::Warn => say!("warn"; "警告"),
            State::Fail(_) => say!("FAIL"; "失败"),
        }
    }
}

/// One line.
#[derive(Debug)]
pub(super) struct Finding {
    check: Check,
    account: Option<String>,
    state: State,
    what: Text,
    next: Option<Text>,
    errcode: Option<i64>,
    rid: Option<String>,
}

impl Finding {
    /// It is as it should be.
    pub fn ok(check: Check, account: Option<&str>, what: Text) -> Self {
        let account = account.map(str::to_owned);
        Finding { check, account, state: State::Ok, what, next: None, errcode: None, rid: None }
    }

    /// It works, but a person should know.
    pub fn warn(check: Check, account: Option<&str>, what: Text, next: Text) -> Self {
        Finding { state: State::Warn, next: Some(next), ..Finding::ok(check, account, what) }
    }

    /// It does not work.
    pub fn fail(check: Check, account: Option<&str>, error: Error) -> Self {
        let Error { kind, what, next, errcode, rid, .. } = error;
        Finding { state: State::Fail(kind), next, errcode, rid, ..Finding::ok(check, account, what) }
    }

    fn json(&self) -> Value {
        let kind = if let State::Fail(kind) = self.state { kind.exit_code() } else { 0 };
        json!({
            "check": self.check.name(),
            "account": self.account,
            "state": self.state.name(),
            "code": kind,
            "what": self.what.en,
            "next": self.next.as_ref().map(|next| &next.en),
            "errcode": self.errcode,
            "rid": self.rid,
        })
    }
}

/// All that was found.
pub(super) struct Examined(pub Vec<Finding>);

impl Examined {
    /// The kind of failure that decides; `None` where nothing failed.
    pub fn gravest(&self) -> Option<Kind> {
        let failed: Vec<Kind> = self.kinds().collect();
        GRAVEST.into_iter().find(|kind| failed.contains(kind)).or(failed.first().copied())
    }

    /// How many checks failed.
    pub fn failures(&self) -> usize {
        self.kinds().count()
    }

    fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.0.iter().filter_map(|finding| match finding.state {
            State::Fail(kind) => Some(kind),
            _ => None,
        })
    }

    fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|finding| finding.state.name() == name).count()
    }
}

impl Report for Examined {
    fn json(&self) -> Value {
        let checks: Vec<_> = self.0.iter().map(Finding::json).collect();
        json!({ "ok": self.count("ok"), "warn": self.count("warn"), "fail": self.count("fail"), "checks": checks })
    }

    fn text(&self, lang: Lang) -> String {
        let label = |finding: &Finding| match &finding.account {
            Some(account) => format!("{} {account}", finding.check.label().in_lang(lang)),
            None => finding.check.label().in_lang(lang).to_owned(),
        };
        let wide = self.0.iter().map(|finding| label(finding).width()).max().unwrap_or(0);
        let mut text = String::new();
        for finding in &self.0 {
            let (state, label) = (finding.state.label(), label(finding));
            let gap = " ".repeat(wide - label.width());
            text.push_str(&format!(
                "{:<4}  {label}{gap}  {}\n",
                state.in_lang(lang),
                escape(finding.what.in_lang(lang))
            ));
            if let Some(next) = &finding.next {
                let arrow = if lang == Lang::En { "next: " } else { "下一步：" };
                text.push_str(&format!("      {}{arrow}{}\n", " ".repeat(wide + 2), escape(next.in_lang(lang))));
            }
        }
        text
    }
}
