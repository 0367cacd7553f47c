//! `wxops explain`: an errcode, a rid, a reason of refusal, an exit code, or a line that holds one of them.

mod code;
mod exit;
mod input;
mod mass;
mod other;
mod own;
mod reason;
mod rid;
mod scan;
mod shown;

use super::Context;
use crate::domain::clock::Clock;
use crate::error::{Error, Lang, Result};
use crate::platform::Platform;
use crate::report::{Format, Report};
use crate::say;
use scan::{Finding, Found};
use shown::Explained;
use std::ffi::OsString;
use std::io::IsTerminal;

/// Things explained in one call.
const MOST: usize = 50;

/// Explain an errcode, a rid, or a line of a log
///
/// Says what it means, who must act, what wxops does about it, and what to run
/// next. It understands errcodes (40164), WeChat's and WeCom's, rids, reasons of refused callbacks
/// (signature), exit codes (exit 69), and any line that holds one of them, such
/// as an error of wxops or a line of its log or of systemd. Without an argument,
/// or with -, it reads lines from stdin. Only a rid alone is asked of WeChat;
/// all else needs no configuration, no database and no network.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops explain 40164\n  journalctl -u wxops -n 100 | wxops explain")]
pub struct Explain {
    /// A code, a rid or a line; several words are one line
    #[arg(value_name = "CODE|RID|LINE", allow_negative_numbers = true)]
    what: Vec<OsString>,
    /// Whose codes they are; without it, both meanings are told of
    #[arg(long, value_name = "wechat|wecom", value_parser = ["wechat", "wecom"], hide_possible_values = true)]
    platform: Option<String>,
}

/// What was found, each thing once, with its number.
#[derive(Default)]
struct Collected {
    findings: Vec<(Finding, u64)>,
    rids: Vec<String>,
}

impl Collected {
    fn of(found: Found) -> Self {
        let mut collected = Collected::default();
        collected.add(found);
        collected
    }

    /// Whose the codes are, where it was said.
    fn are_of(&mut self, platform: Option<Platform>) {
        for (finding, _) in &mut self.findings {
            if let Finding::Code(code) = finding {
                code.platform = platform.or(code.platform);
            }
        }
    }

    fn add(&mut self, found: Found) {
        for finding in found.findings {
            if let Some((_, count)) = self.findings.iter_mut().find(|(known, _)| alike(known, &finding)) {
                *count += 1;
            } else if self.findings.len() < MOST {
                self.findings.push((finding, 1));
            }
        }
        for rid in found.rids {
            if self.rids.len() < MOST && !self.rids.contains(&rid) {
                self.rids.push(rid);
            }
        }
    }
}

/// Whether the second needs no explanation of its own: the same code of the same API, whatever its request.
fn alike(one: &Finding, other: &Finding) -> bool {
    match (one, other) {
        (Finding::Code(one), Finding::Code(other)) => (one.code, &one.api) == (other.code, &other.api),
        _ => one == other,
    }
}

impl Explain {
    /// Explains; exit 1 where something is in no table, 2 where there is nothing to explain.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        let platform = self.platform.clone();
        let mut collected = self.collect().await?;
        collected.are_of(Platform::ALL.into_iter().find(|known| Some(known.as_str()) == platform.as_deref()));
        let now_ms = context.config().map_or(Clock::System, |config| config.clock.clone()).now_ms();
        let explained = match (&collected.findings[..], &collected.rids[..]) {
            ([], []) => return Err(nothing()),
            ([], [rid]) => rid::show(context, rid).await?.into_iter().collect(),
            ([], rids) => return Err(several(rids)),
            (findings, _) => show(context, findings, now_ms)?,
        };
        explained.iter().find(|explained| !explained.known).map_or(Ok(()), |unknown| Err(not_known(unknown)))
    }

    async fn collect(self) -> Result<Collected> {
        let words: Vec<String> = self.what.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let from_stdin = matches!(&words[..], []) || words == ["-"];
        if from_stdin {
            if words.is_empty() && std::io::stdin().is_terminal() {
                return Err(nothing());
            }
            let unread =
                |e: std::io::Error| Error::failed(say!("stdin can't be read: {e}"; "无法读取标准输入：{e}")).source(e);
            let read = tokio::task::spawn_blocking(|| {
                let (mut collected, mut first, mut count) = (Collected::default(), String::new(), 0_u64);
                input::lines(std::io::stdin().lock(), |line| {
                    first = if count == 0 { line.to_owned() } else { String::new() };
                    count += 1;
                    collected.add(scan::line(line));
                })?;
                // `echo 40164 | wxops explain`: among other lines a number alone says nothing.
                match scan::word(&first) {
                    Some(found) => Ok(Collected::of(found)),
                    None => Ok(collected),
                }
            });
            let read: std::io::Result<Collected> = read.await.map_err(std::io::Error::from).and_then(|read| read);
            return read.map_err(unread);
        }
        // `explain 40001 40164` is two codes, `explain exit 69` one line.
        let mut collected = Collected::default();
        match words.iter().map(|word| scan::word(word)).collect::<Option<Vec<_>>>() {
            Some(found) => found.into_iter().for_each(|found| collected.add(found)),
            None => words.join(" ").lines().for_each(|line| collected.add(scan::line(line))),
        }
        Ok(collected)
    }
}

/// An explanation among others.
struct Block<'a> {
    explained: &'a Explained,
    first: bool,
    count: u64,
}

impl Report for Block<'_> {
    fn json(&self) -> serde_json::Value {
        let mut value = self.explained.json();
        value["count"] = self.count.into();
        value
    }

    fn text(&self, lang: Lang) -> String {
        let gap = if self.first { "" } else { "\n" };
        let text = self.explained.text(lang);
        let count = self.count;
        let times = match lang {
            _ if count == 1 => String::new(),
            Lang::En => format!("  ({count} times)"),
            Lang::Zh => format!("（{count} 次）"),
        };
        let (head, rest) = text.split_once('\n').unwrap_or((&text, ""));
        format!("{gap}{head}{times}\n{rest}")
    }
}

fn show(context: &mut Context, findings: &[(Finding, u64)], now_ms: i64) -> Result<Vec<Explained>> {
    let mut all = Vec::new();
    for (finding, count) in findings {
        let explained = finding.explain(now_ms);
        context.out.show(&Block { explained: &explained, first: all.is_empty(), count: *count })?;
        all.push(explained);
    }
    if context.out.format == Format::Table && all.len() == MOST {
        context.out.note(&say!("only the first {MOST} are shown"; "只显示前 {MOST} 项"));
    }
    Ok(all)
}

fn nothing() -> Error {
    Error::usage(say!("nothing to explain was found"; "没有找到可以解释的内容")).next(say!(
        "give an errcode (40164), a rid (5f1e2d3c-4b5a6978-8796a5b4), a reason (signature), an exit code (exit 69), or a line of the log that holds one, in quotes or on stdin";
        "请给出 errcode（40164）、rid（5f1e2d3c-4b5a6978-8796a5b4）、拒绝原因（signature）、退出码（exit 69），或含有它们的日志行（加引号，或经标准输入）"
    ))
}

fn several(rids: &[String]) -> Error {
    let (count, first) = (rids.len(), rids.first().map_or("", String::as_str));
    Error::usage(say!("{count} rids; one is asked of WeChat at a time"; "共 {count} 个 rid；每次只向微信查询一个"))
        .next(say!("wxops explain {first}"; "请执行 wxops explain {first}"))
}

fn not_known(unknown: &Explained) -> Error {
    let name = if unknown.kind == "errcode" { format!("errcode {}", unknown.name) } else { unknown.name.clone() };
    let mut error = Error::failed(say!("{name} is in no table of wxops"; "{name} 不在 wxops 的列表中"));
    error.errcode = unknown.more["errcode"].as_i64();
    error.next(unknown.mend.clone())
}
