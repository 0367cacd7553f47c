//! What clap finds wrong with a command line, as an error like every other: one line, both languages, what to do next.

use crate::error::{Error, Text};
use crate::say;
use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;
use std::num::{IntErrorKind, ParseIntError};

/// The error, with what is near and where to look.
pub(super) fn error(clap: &clap::Error, tree: &Command, args: &[OsString]) -> Error {
    let slip = Slip { clap, tree, path: path(tree, args) };
    let mut error = Error::usage(slip.what());
    error.next = slip.reason().and_then(|reason| reason.next.clone()).or_else(|| slip.next());
    error
}

/// The group and verb that the arguments name, as they are typed: `wxops events list`.
pub(super) fn path(tree: &Command, args: &[OsString]) -> String {
    let (mut at, mut path) = (tree, tree.get_name().to_owned());
    let mut args = args.iter().skip(1).filter_map(|arg| arg.to_str());
    while let Some(arg) = args.next() {
        if let Some(sub) = at.find_subcommand(arg) {
            at = sub;
            path.push(' ');
            path.push_str(arg);
        } else if takes_next(tree, arg) {
            args.next();
        }
    }
    path
}

/// Whether this is a global flag whose value is the next argument.
fn takes_next(tree: &Command, arg: &str) -> bool {
    let flag = |known: &&clap::Arg| known.get_long().is_some_and(|long| arg.strip_prefix("--") == Some(long));
    tree.get_arguments().find(flag).is_some_and(|flag| flag.get_action().takes_values())
}

struct Slip<'a> {
    clap: &'a clap::Error,
    tree: &'a Command,
    path: String,
}

impl Slip<'_> {
    fn what(&self) -> Text {
        let (arg, value) = (self.first(ContextKind::InvalidArg), self.first(ContextKind::InvalidValue));
        match self.clap.kind() {
            ErrorKind::InvalidSubcommand => {
                let name = self.first(ContextKind::InvalidSubcommand);
                say!("there is no command {name:?}"; "没有 {name:?} 这个命令")
            }
            ErrorKind::UnknownArgument if arg.starts_with('-') => say!("there is no flag {arg}"; "没有 {arg} 这个选项"),
            ErrorKind::UnknownArgument => say!("{arg:?} is one argument too many"; "多了一个参数 {arg:?}"),
            ErrorKind::InvalidValue => self.not_listed(&arg, &value),
            ErrorKind::ValueValidation => {
                let why = self.why();
                let (en, zh) = (why.en, why.zh);
                say!("{arg} can't be {value:?}: {en}"; "{arg} 不能是 {value:?}：{zh}")
            }
            ErrorKind::MissingRequiredArgument => {
                let missing = self.all(ContextKind::InvalidArg).join(" ");
                say!("{missing} is missing"; "缺少 {missing}")
            }
            ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => self.no_verb(),
            ErrorKind::ArgumentConflict => self.conflict(&arg),
            ErrorKind::TooManyValues => say!("{arg} takes no value such as {value:?}"; "{arg} 不再接受值 {value:?}"),
            ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
                say!("{arg} takes another number of values"; "{arg} 的值的个数不对")
            }
            ErrorKind::NoEquals => say!("{arg} takes its value behind ="; "{arg} 的值要写在 = 之后"),
            ErrorKind::InvalidUtf8 => say!("an argument is not UTF-8"; "有参数不是 UTF-8"),
            _ => say!("the command line is wrong"; "命令行有误"),
        }
    }

    fn not_listed(&self, arg: &str, value: &str) -> Text {
        let values = self.all(ContextKind::ValidValue);
        let (en, zh) = (values.join(", "), values.join("、"));
        match (value.is_empty(), values.is_empty()) {
            (true, true) => say!("{arg} lacks its value"; "{arg} 缺少值"),
            (true, false) => say!("{arg} lacks its value: {en}"; "{arg} 缺少值：{zh}"),
            (false, _) => say!("{arg} can't be {value:?}, only {en}"; "{arg} 不能是 {value:?}，只能是 {zh}"),
        }
    }

    fn conflict(&self, arg: &str) -> Text {
        let others = self.all(ContextKind::PriorArg);
        if others.first().is_some_and(|other| other == arg) {
            return say!("{arg} is given twice"; "{arg} 只能给一次");
        }
        let others = others.join(" ");
        say!("{arg} and {others} exclude each other"; "{arg} 与 {others} 不能同时使用")
    }

    fn no_verb(&self) -> Text {
        match self.path.split_once(' ') {
            None => say!("a command is missing"; "缺少命令"),
            Some((_, group)) => {
                let verbs = self.all(ContextKind::ValidSubcommand);
                let (en, zh) = (verbs.join(", "), verbs.join("、"));
                say!("{group} lacks its verb: {en}"; "{group} 之后缺少命令：{zh}")
            }
        }
    }

    /// Why a parser refused a value: our own say it in both languages, Rust's own are known.
    fn why(&self) -> Text {
        if let Some(reason) = self.reason() {
            return reason.what.clone();
        }
        let source = std::error::Error::source(self.clap);
        if let Some(number) = source.and_then(|source| source.downcast_ref::<ParseIntError>()) {
            return match number.kind() {
                IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => say!("out of range"; "超出范围"),
                _ => say!("not a whole number"; "不是整数"),
            };
        }
        let said = source.map(ToString::to_string).unwrap_or_default();
        match said.split_once(" is not in ") {
            Some((_, range)) => say!("it must be in {range}"; "应在 {range} 之内"),
            None => say!("{said}"; "{said}"),
        }
    }

    fn reason(&self) -> Option<&Error> {
        std::error::Error::source(self.clap)?.downcast_ref()
    }

    fn next(&self) -> Option<Text> {
        let path = &self.path;
        let kind = self.clap.kind();
        if kind == ErrorKind::MissingRequiredArgument {
            let missing = self.all(ContextKind::InvalidArg).join(" ");
            return Some(say!("write {path} {missing}"; "请写 {path} {missing}"));
        }
        let near = match kind {
            ErrorKind::InvalidSubcommand => self.near_command(),
            ErrorKind::UnknownArgument => self.all(ContextKind::SuggestedArg),
            _ => self.all(ContextKind::SuggestedValue),
        };
        let near = near.join(", ");
        Some(match near.is_empty() {
            true => say!("see {path} --help"; "请看 {path} --help"),
            false => say!("did you mean {near}? all are in {path} --help"; "是不是 {near}？全部见 {path} --help"),
        })
    }

    /// What is spelt alike; else the groups that have a verb of this name.
    fn near_command(&self) -> Vec<String> {
        let alike = self.all(ContextKind::SuggestedSubcommand);
        if !alike.is_empty() {
            return alike;
        }
        let name = self.first(ContextKind::InvalidSubcommand);
        let groups = self.tree.get_subcommands().filter(|group| group.find_subcommand(&name).is_some());
        groups.map(|group| format!("{} {name}", group.get_name())).collect()
    }

    /// Without the dots of what may be repeated.
    fn all(&self, kind: ContextKind) -> Vec<String> {
        let texts = match self.clap.get(kind) {
            Some(ContextValue::Strings(texts)) => texts.iter().map(String::as_str).collect(),
            Some(ContextValue::String(text)) => vec![text.as_str()],
            _ => Vec::new(),
        };
        texts.into_iter().map(|text| text.strip_suffix("...").unwrap_or(text).to_owned()).collect()
    }

    fn first(&self, kind: ContextKind) -> String {
        self.all(kind).into_iter().next().unwrap_or_default()
    }
}
