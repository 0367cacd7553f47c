//! Who acts on a code, and what they type or open next.

use super::Words;

/// Who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// It passes, or it is no fault.
    Nobody,
    /// Whoever runs wxops: in the shell, in the file, in what was sent.
    Operator,
    /// The account's administrator, in WeChat's console.
    Administrator,
    /// Whoever writes wxops.
    Developer,
}

impl Who {
    /// The name, for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Who::Nobody => "nobody",
            Who::Operator => "operator",
            Who::Administrator => "administrator",
            Who::Developer => "developer",
        }
    }

    /// For people.
    pub fn words(self) -> Words {
        let (en, zh) = match self {
            Who::Nobody => ("nobody", "无需人工处理"),
            Who::Operator => ("you, who run wxops", "您，即 wxops 的运维人员"),
            Who::Administrator => ("the account's administrator, in WeChat's console", "账号管理员，在微信后台处理"),
            Who::Developer => ("the developers of wxops", "wxops 的开发者"),
        };
        Words { en, zh }
    }
}

/// The next step: whose it is, and the command or the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Who takes it.
    pub who: Who,
    /// The command, where a shell helps; words in capitals are to be filled in.
    pub command: Option<&'static str>,
    /// What the command tells, or the page to open.
    pub words: Words,
}

impl Step {
    /// A step in the shell.
    pub const fn shell(who: Who, command: &'static str, en: &'static str, zh: &'static str) -> Step {
        Step { who, command: Some(command), words: Words { en, zh } }
    }

    /// A step elsewhere.
    pub const fn place(who: Who, en: &'static str, zh: &'static str) -> Step {
        Step { who, command: None, words: Words { en, zh } }
    }
}
