//! `wxops man`: manual pages, made from the definition that is parsed with.

use super::{NAME, translate, tree, usage};
use crate::error::{Error, Lang, Result};
use crate::report::{Exit, Out, Report, escape, exits};
use crate::say;
use clap::Command;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The headings of a page, which clap_mangen writes in English.
const HEADINGS: &[(&str, &str)] = &[
    (".SH NAME", ".SH 名称"),
    (".SH SYNOPSIS", ".SH 概要"),
    (".SH DESCRIPTION", ".SH 描述"),
    (".SH OPTIONS", ".SH 选项"),
    (".SH SUBCOMMANDS", ".SH 命令"),
    (".SH EXAMPLE", ".SH 示例"),
    (".SH \"EXIT STATUS\"", ".SH 退出码"),
    (".SH \"SEE ALSO\"", ".SH 另见"),
    ("Possible values:", "可选值："),
];

/// Print a manual page, or write all of them into a folder
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops man events list | man -l -")]
pub(super) struct Man {
    /// Write the page of every verb into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "verb")]
    dir: Option<PathBuf>,
    /// A group and its verb; without, the page of wxops itself
    #[arg(value_name = "VERB")]
    verb: Vec<String>,
}

struct Page {
    name: String,
    text: String,
}

struct Written {
    dir: PathBuf,
    pages: Vec<String>,
}

impl Man {
    pub fn run(self, out: &mut Out) -> Result<()> {
        let mut tree = translate::description(tree(out.lang), out.lang);
        tree.build();
        match self.dir {
            Some(dir) => {
                let pages = all(&tree).into_iter().map(|command| page(command, out.lang)).collect::<Vec<_>>();
                write(&dir, &pages).map_err(|error| {
                    let dir = escape(&dir.to_string_lossy()).into_owned();
                    Error::failed(say!("cannot write into {dir}: {error}"; "无法写入 {dir}：{error}"))
                })?;
                out.report(&Written { dir, pages: pages.into_iter().map(|page| page.name).collect() })
            }
            None => out.show(&page(named(&tree, &self.verb)?, out.lang)),
        }
    }
}

fn write(dir: &Path, pages: &[Page]) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    pages.iter().try_for_each(|page| std::fs::write(dir.join(&page.name), &page.text))
}

/// The command and all below it.
fn all(command: &Command) -> Vec<&Command> {
    std::iter::once(command).chain(command.get_subcommands().flat_map(all)).collect()
}

fn named<'a>(tree: &'a Command, words: &[String]) -> Result<&'a Command> {
    words.iter().try_fold(tree, |at, word| at.find_subcommand(word)).ok_or_else(|| not_found(words))
}

/// What its help would answer.
fn not_found(words: &[String]) -> Error {
    let words = words.iter().map(String::as_str);
    let args: Vec<OsString> = std::iter::once(NAME).chain(words).chain(["--help"]).map(OsString::from).collect();
    match tree(Lang::En).try_get_matches_from(&args) {
        Err(error) if error.exit_code() != 0 => usage::error(&error, &tree(Lang::En), &args),
        // An argument of a verb instead of a verb.
        _ => Error::usage(say!("there is no page of that name"; "没有该名称的手册页"))
            .next(say!("see wxops --help"; "请看 wxops --help")),
    }
}

/// One page: the synopsis short, the example of the help, and where to look on.
fn page(command: &Command, lang: Lang) -> Page {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    let example = command.get_before_help().map(ToString::to_string).unwrap_or_default();
    let example = example.lines().skip(1).map(|line| format!("{}\n", line.replace('-', "\\-"))).collect::<String>();
    let man = clap_mangen::Man::new(command.clone().override_usage(usage))
        .source(format!("wxops {}", env!("CARGO_PKG_VERSION")))
        .manual("wxops");
    let mut text = Vec::new();
    // Writing to memory can't fail.
    let _ = man.render(&mut text);
    let _ = write!(text, ".SH EXAMPLE\n.nf\n{example}.fi\n");
    let _ = write!(text, ".SH \"EXIT STATUS\"\n{}", exit_status(lang));
    let _ = write!(text, ".SH \"SEE ALSO\"\n{}\n", see_also(&name));
    let text = String::from_utf8_lossy(&text).into_owned();
    Page { name: format!("{name}.1"), text: in_lang(text, lang) }
}

fn exit_status(lang: Lang) -> String {
    let code = |exit: Exit| format!(".TP\n{}\n{}\n", exit.code, exit.meaning.in_lang(lang).replace('-', "\\-"));
    exits().into_iter().map(code).collect()
}

/// The page above and that of the program.
fn see_also(name: &str) -> String {
    let mut above = vec!["wxops(1)".to_owned()];
    if let Some((group, _)) = name.rsplit_once('-').filter(|(group, _)| *group != NAME) {
        above.push(format!("{group}(1)"));
    }
    above.join(", ").replace('-', "\\-")
}

fn in_lang(text: String, lang: Lang) -> String {
    match lang {
        Lang::En => text,
        Lang::Zh => {
            let text = HEADINGS.iter().fold(text, |text, (en, zh)| text.replace(en, zh));
            translate::plain(&translate::words(&text))
        }
    }
}

impl Report for Page {
    fn json(&self) -> serde_json::Value {
        serde_json::json!({ "page": self.name, "text": self.text })
    }

    fn text(&self, _: Lang) -> String {
        self.text.clone()
    }
}

impl Report for Written {
    fn json(&self) -> serde_json::Value {
        serde_json::json!({ "dir": self.dir, "pages": self.pages })
    }

    fn text(&self, lang: Lang) -> String {
        let (count, dir) = (self.pages.len(), escape(&self.dir.to_string_lossy()).into_owned());
        say!("{count} pages written to {dir}"; "已将 {count} 页写入 {dir}").in_lang(lang).to_owned()
    }
}
