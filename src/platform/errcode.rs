//! What each errcode means and what follows from it: the one table behind the retry engine, the exit
//! codes and `explain` (reference 9). A new code is one row.

mod conduct;
mod refusal;
mod step;
mod wechat;
mod wecom;

#[cfg(test)]
mod tests;

use super::Platform;
pub use crate::domain::beijing::shown as hour;
use crate::error::Text;
pub use conduct::{Conduct, Move, Probing, conduct, first, probing};
pub use refusal::{Refusal, error};
pub use step::{Step, Who};

/// What a caller does about a code (reference 9, classes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Success.
    Ok,
    /// Done before: success in disguise.
    Done,
    /// A new token once, the call once more; the second time a person must act.
    Token,
    /// Wait, then go on.
    Backoff,
    /// Stop until the quota comes back.
    Quota,
    /// Never repeat as it is.
    Input,
    /// A person must act, in the console or the file.
    Config,
    /// The platform's own fault: a few tries.
    Platform,
}

impl Class {
    /// The name, as the reference has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Ok => "ok",
            Class::Done => "done",
            Class::Token => "token",
            Class::Backoff => "backoff",
            Class::Quota => "quota",
            Class::Input => "input",
            Class::Config => "config",
            Class::Platform => "platform",
        }
    }

    /// The exit code of a command that ends on such a code; for `Token` that of the second refusal.
    pub fn exit(self) -> u8 {
        match self {
            Class::Ok | Class::Done => 0,
            Class::Input => 1,
            Class::Backoff | Class::Quota | Class::Platform => 69,
            Class::Token | Class::Config => 77,
        }
    }
}

/// A fixed sentence in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// Chinese.
    pub zh: &'static str,
}

impl From<Words> for Text {
    fn from(Words { en, zh }: Words) -> Text {
        Text { en: en.to_owned(), zh: zh.to_owned() }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The errcode.
    pub code: i64,
    /// The platform's own text, without the tail that names the request.
    pub errmsg: &'static str,
    /// What it means.
    pub meaning: Words,
    /// What a caller does about it.
    pub class: Class,
    /// Seconds to wait before the next try, where the reference names them.
    pub wait: Option<u32>,
    /// What a person does about it.
    pub action: Words,
    /// Whose the next step is, and which.
    pub step: Step,
}

impl Row {
    /// The exit code of a command that ends on this code.
    pub fn exit(&self) -> u8 {
        self.class.exit()
    }
}

/// A row as the tables write it: English, then Chinese.
const fn row(
    code: i64,
    errmsg: &'static str,
    class: Class,
    wait: Option<u32>,
    meaning: [&'static str; 2],
    action: [&'static str; 2],
    step: Step,
) -> Row {
    Row {
        code,
        errmsg,
        meaning: Words { en: meaning[0], zh: meaning[1] },
        class,
        wait,
        action: Words { en: action[0], zh: action[1] },
        step,
    }
}

/// Every row of a platform, by code.
pub fn rows(platform: Platform) -> &'static [Row] {
    match platform {
        Platform::WeChat => wechat::ROWS,
        Platform::WeCom => wecom::ROWS,
    }
}

/// The row of a code; `None` for a code that the reference does not name: it fails the item, is never
/// repeated blindly, and is shown as it came.
pub fn lookup(platform: Platform, code: i64) -> Option<&'static Row> {
    rows(platform).iter().find(|row| row.code == code)
}

/// The class of a code; one that the reference does not name counts as input.
pub fn class(platform: Platform, code: i64) -> Class {
    lookup(platform, code).map_or(Class::Input, |row| row.class)
}
