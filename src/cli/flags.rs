//! The global flags, and what can be told of them before they are parsed.

use crate::config::{Config, Sources, duration};
use crate::error::{Error, Lang};
use crate::report::{Format, LogFormat, Logs};
use clap::ArgAction;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    /// Whether what goes there has colours.
    pub fn of(self, to: &impl IsTerminal) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => to.is_terminal() && !colorless(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Language {
    Zh,
    En,
}

/// The flags of every verb.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// TOML file (WXOPS_CONFIG)
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Which configured account (WXOPS_ACCOUNT)
    #[arg(long, global = true, value_name = "NAME")]
    pub account: Option<String>,
    /// Form of the result
    #[arg(long, global = true, value_enum, default_value_t, hide_possible_values = true, value_name = "table|json")]
    pub format: Format,
    /// Short for --format json
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing on success, log errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Log more, show causes of errors; -vv logs most
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Form of log lines on stderr
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "text|json|journald"
    )]
    pub log_format: LogFormat,
    /// Whether to use colours
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "auto|always|never"
    )]
    pub color: Color,
    /// Language of messages for people (WXOPS_LANG, else the locale)
    #[arg(long, global = true, value_enum, hide_possible_values = true, value_name = "zh|en")]
    pub lang: Option<Language>,
    /// Limit for the whole command, such as 50s: work done is kept, exit 69
    #[arg(long, global = true, value_name = "TIME", value_parser = time)]
    pub timeout: Option<Duration>,
    /// Never ask
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Print help
    #[arg(short, long, global = true, action = ArgAction::Help)]
    pub help: Option<bool>,
    /// Version, commit and target
    #[arg(short = 'V', long)]
    pub version: bool,
}

fn time(text: &str) -> Result<Duration, Error> {
    duration(text)
}

impl Global {
    /// `--json` is short for `--format json`.
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }

    /// The flags laid over the other sources.
    pub fn over(&self, mut sources: Sources) -> Sources {
        sources.config = self.config.clone();
        if let Some(account) = &self.account {
            sources.flags.insert("WXOPS_ACCOUNT", account.clone());
        }
        sources
    }

    /// How to log: `-q` and `-v` beat `WXOPS_LOG`.
    pub fn logs(&self, config: Option<&Config>) -> Logs {
        let filter = match (self.quiet, self.verbose) {
            (true, _) => "error".to_owned(),
            (_, 0) => config.map_or_else(|| "info".to_owned(), |config| config.log.clone()),
            (_, 1) => "info,wxops=debug".to_owned(),
            _ => "debug,wxops=trace".to_owned(),
        };
        Logs { format: self.log_format, filter, color: self.color.of(&std::io::stderr()) }
    }

    /// Whether lines that go away again may be drawn on stderr.
    pub fn draws(&self) -> bool {
        std::io::stderr().is_terminal() && self.color.of(&std::io::stderr())
    }
}

/// `NO_COLOR` (no-color.org: when not empty) and a terminal that can't.
fn colorless() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|value| value == "dumb")
}

/// The language: the flag, `WXOPS_LANG`, what the configuration says, the locale.
pub(super) fn lang_of(flag: Option<Language>, config: Option<Lang>) -> Lang {
    match (flag, variable("WXOPS_LANG").as_deref(), config) {
        (Some(Language::Zh), _, _) | (None, Some("zh"), _) => Lang::Zh,
        (Some(Language::En), _, _) | (None, Some("en"), _) => Lang::En,
        (None, _, Some(lang)) => lang,
        (None, _, None) if locale().is_some_and(|locale| locale.starts_with("zh")) => Lang::Zh,
        _ => Lang::En,
    }
}

/// The locale of messages: the first that is set counts.
fn locale() -> Option<String> {
    ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(variable)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// `--lang` somewhere in the arguments, else the environment: help must not need a configuration.
pub(super) fn guess_lang(args: &[OsString]) -> Lang {
    let flag = match value_of(args, "--lang").as_deref() {
        Some("zh") => Some(Language::Zh),
        Some("en") => Some(Language::En),
        _ => None,
    };
    lang_of(flag, None)
}

/// `--json` or `--format json` somewhere in the arguments.
pub(super) fn guess_format(args: &[OsString]) -> Format {
    let json = args.iter().any(|arg| arg == "--json") || value_of(args, "--format").as_deref() == Some("json");
    if json { Format::Json } else { Format::Table }
}

/// `--color` somewhere in the arguments.
pub(super) fn guess_color(args: &[OsString]) -> Color {
    match value_of(args, "--color").as_deref() {
        Some("always") => Color::Always,
        Some("never") => Color::Never,
        _ => Color::Auto,
    }
}

/// `--config` of arguments that could not be parsed.
pub(super) fn guess_config(args: &[OsString]) -> Option<PathBuf> {
    value_of(args, "--config").map(PathBuf::from)
}

/// `--flag VALUE` or `--flag=VALUE`.
fn value_of(args: &[OsString], flag: &str) -> Option<String> {
    let mut args = args.iter().filter_map(|arg| arg.to_str());
    while let Some(arg) = args.next() {
        match arg.strip_prefix(flag) {
            Some("") => return args.next().map(str::to_owned),
            Some(rest) if rest.starts_with('=') => return Some(rest[1..].to_owned()),
            _ => {}
        }
    }
    None
}
