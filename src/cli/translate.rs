//! Help in Chinese: the one definition of the command line, with the sentences of [`zh`](super::zh) in their places.
//! Clap lays it out; the words that are clap's own are replaced, and lines broken, in what it has rendered.

use super::wrap::wrap;
use super::zh;
use crate::error::Lang;
use clap::builder::{PossibleValue, PossibleValuesParser, StyledStr};
use clap::{Arg, Command};

/// Widest line of help.
const WIDTH: usize = 80;

/// Clap breaks lines at blanks only. Those of a Chinese sentence are no good places: they are hidden from it.
const HIDDEN_BLANK: char = '\u{a0}';

/// Clap's own words, which no setting of it changes.
const CLAPS: &[(&str, &str)] = &[
    ("Usage: ", "用法："),
    ("Usage:", "用法："),
    ("Commands:", "命令："),
    ("Arguments:", "参数："),
    ("Options:", "选项："),
    ("命令组:", "命令组："),
    ("全局选项:", "全局选项："),
    ("[default: ", "[默认："),
    ("[default:", "[默认："),
    ("[possible values: ", "[可选值："),
    ("[possible values:", "[可选值："),
    ("[aliases: ", "[别名："),
    ("[aliases:", "[别名："),
    ("[alias: ", "[别名："),
    ("[OPTIONS]", "[选项]"),
    ("[GROUP]", "[命令组]"),
    ("<COMMAND>", "<命令>"),
];

/// The tree in this language.
pub(super) fn tree(command: Command, lang: Lang) -> Command {
    match lang {
        Lang::En => command,
        Lang::Zh => chinese(command),
    }
}

/// The tree in this language for what only describes it: with the descriptions of values, but no longer with their
/// types, so that nothing can be parsed with it.
pub(super) fn description(command: Command, lang: Lang) -> Command {
    match lang {
        Lang::En => command,
        Lang::Zh => described(command),
    }
}

/// What clap rendered from the tree of this language.
pub(super) fn rendered(text: &str, lang: Lang) -> String {
    match lang {
        Lang::En => text.to_owned(),
        Lang::Zh => wrap(&words(text), WIDTH).replace(HIDDEN_BLANK, " "),
    }
}

/// The same for a form that is not laid out in lines: completions, man pages, a usage line.
pub(super) fn words(text: &str) -> String {
    CLAPS.iter().fold(text.to_owned(), |text, (en, zh)| text.replace(en, zh))
}

/// Blanks as they were, for what clap does not lay out.
pub(super) fn plain(text: &str) -> String {
    text.replace(HIDDEN_BLANK, " ")
}

fn chinese(mut command: Command) -> Command {
    if let Some(example) = command.get_before_help() {
        let example = example.to_string().replacen("Example:", "示例：", 1);
        command = command.before_help(example);
    }
    if let Some(about) = command.get_about().map(sentence) {
        command = command.about(about);
    }
    if let Some(about) = command.get_long_about().map(sentence) {
        command = command.long_about(about);
    }
    if let Some(heading) = command.get_subcommand_help_heading().and_then(zh::of) {
        command = command.subcommand_help_heading(heading);
    }
    command.mut_args(argument).mut_subcommands(chinese)
}

fn described(command: Command) -> Command {
    command.mut_args(values).mut_subcommands(described)
}

fn values(arg: Arg) -> Arg {
    let values = arg.get_possible_values();
    if values.iter().all(|value| value.get_help().is_none()) {
        return arg;
    }
    let in_chinese = |value: PossibleValue| match value.get_help().map(sentence) {
        Some(help) => value.help(help),
        None => value,
    };
    arg.value_parser(PossibleValuesParser::new(values.into_iter().map(in_chinese)))
}

fn argument(mut arg: Arg) -> Arg {
    if let Some(help) = arg.get_help().map(sentence) {
        arg = arg.help(help);
    }
    if let Some(help) = arg.get_long_help().map(sentence) {
        arg = arg.long_help(help);
    }
    match arg.get_help_heading().and_then(zh::of) {
        Some(heading) => arg.help_heading(heading),
        None => arg,
    }
}

/// Each paragraph from the table; one that it lacks stays English (a test finds it).
fn sentence(text: &StyledStr) -> StyledStr {
    let text = text.to_string();
    let paragraphs = text.split("\n\n").map(|en| zh::of(en).unwrap_or(en).replace(' ', "\u{a0}"));
    StyledStr::from(paragraphs.collect::<Vec<_>>().join("\n\n"))
}
