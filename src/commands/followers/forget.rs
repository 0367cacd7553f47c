//! `wxops followers forget`: a person out of every store, with a receipt.

use super::receipt;
use crate::app::App;
use crate::commands::{Context, time_local};
use crate::config;
use crate::erase::{self, Why, chain};
use crate::error::{Error, Kind, Lang, Result, Text};
use crate::report::{Report, escape};
use crate::say;
use crate::store::{Erasure, Known};
use serde_json::json;
use std::io::Read;
use std::time::Duration;

/// Letters of a reason at the most.
const REASON_MAX: usize = 255;

/// Erase people from every store, and give a receipt for each
///
/// Of one account. Kept are account, openid and the times; wxops followers purge
/// removes these too. A store that can't be reached is cleared later by a
/// running serve; then the exit status is 69, and followers show tells how it
/// stands. Whoever follows again starts anew.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops followers forget oTEST0000000000000000000002_ --reason letter-17")]
pub struct Forget {
    /// The people's openids; - reads them from stdin, one a line
    #[arg(value_name = "OPENID", required_unless_present = "verify", conflicts_with = "verify")]
    openids: Vec<String>,
    /// Why; it stands in the receipt
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Wait at most so long for every store to confirm
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = config::duration)]
    wait: Duration,
    /// Check the chain of all receipts instead
    #[arg(long, conflicts_with_all = ["reason", "dry_run", "yes"])]
    verify: bool,
    /// Say what would be erased, change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,
}

impl Forget {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        if self.reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON_MAX) {
            return Err(Error::usage(say!(
                "--reason: at most {REASON_MAX} letters";
                "--reason：最多 {REASON_MAX} 个字符"
            )));
        }
        let app = App::open(context.config()?.clone()).await?;
        if self.verify {
            return verify(context, &app).await;
        }
        let account = app.config.official(None)?.name.clone();
        let asked = if self.openids == ["-"] { from_stdin()? } else { self.openids };
        let (known, unknown) = look_up(&app, &account, asked).await?;
        if self.dry_run {
            context.out.report(&Planned { account: account.clone(), people: known, unknown: unknown.clone() })?;
            return all_known(&account, 1, &unknown);
        }
        if !known.is_empty() {
            let count = known.len();
            let deed = say!(
                "this erases {count} people of account {account} from every store for good";
                "将从所有存储中永久清除账号 {account} 的 {count} 个用户"
            );
            context.confirm(self.yes, deed).await?;
        }
        for (openid, known) in &known {
            erase::erase(&app, &account, openid, known, Why::Told(self.reason.as_deref())).await?;
        }
        let openids: Vec<String> = known.into_iter().map(|(openid, _)| openid).collect();
        let done = Forgotten { rows: erase::settled(&app, &account, &openids, self.wait).await?, unknown };
        context.out.report(&done)?;
        all_known(&account, done.rows.len(), &done.unknown)?;
        done.confirmed()
    }
}

/// One openid a line; empty lines are none.
fn from_stdin() -> Result<Vec<String>> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Error::failed(say!("stdin can't be read"; "无法读取标准输入")).source(error))?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

type People = Vec<(String, Known)>;

/// Who is known in any table, each once, and who is not.
async fn look_up(app: &App, account: &str, asked: Vec<String>) -> Result<(People, Vec<String>)> {
    let (mut people, mut unknown): (People, Vec<String>) = Default::default();
    for openid in asked {
        if people.iter().any(|(seen, _)| *seen == openid) || unknown.contains(&openid) {
            continue;
        }
        let known = app.store.known(account, &openid).await?;
        if known.is_known() { people.push((openid, known)) } else { unknown.push(openid) }
    }
    Ok((people, unknown))
}

/// An openid has 28 letters; what is much longer may be a token that was pasted instead of one, and is not repeated.
fn shown(openid: &str) -> String {
    match openid.char_indices().nth(40) {
        Some(_) => format!("{}…", escape(&openid.chars().take(6).collect::<String>())),
        None => escape(openid).to_string(),
    }
}

/// Exit 1 where nobody is known, 3 where some are not.
fn all_known(account: &str, done: usize, unknown: &[String]) -> Result<()> {
    if unknown.is_empty() {
        return Ok(());
    }
    let kind = if done == 0 { Kind::Failed } else { Kind::Partial };
    let (count, list) = (unknown.len(), unknown.iter().map(|openid| shown(openid)).collect::<Vec<_>>().join(" "));
    Err(Error::new(
        kind,
        say!("{count} not known in account {account}: {list}"; "账号 {account} 中没有这 {count} 个：{list}"),
    )
    .next(say!(
        "see wxops followers list; openids differ in case and from account to account";
        "请查看 wxops followers list；openid 区分大小写，且因账号而异"
    )))
}

/// What was done.
pub(super) struct Forgotten {
    pub(super) rows: Vec<Erasure>,
    pub(super) unknown: Vec<String>,
}

impl Forgotten {
    /// Exit 69 where a store has not confirmed yet.
    pub(super) fn confirmed(&self) -> Result<()> {
        let waiting: Vec<&Erasure> = self.rows.iter().filter(|row| row.link.is_none()).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let mut names: Vec<String> = waiting.iter().flat_map(|row| receipt::pending(row)).collect();
        names.sort();
        names.dedup();
        let (count, names) = (waiting.len(), names.join(", "));
        Err(Error::unavailable(say!(
            "{count} erased in the database, not yet confirmed by: {names}";
            "{count} 个已从数据库清除，尚未确认：{names}"
        ))
        .next(say!(
            "a running serve goes on with it; wxops followers show OPENID tells how it stands";
            "运行中的 serve 会继续处理；用 wxops followers show OPENID 查看进度"
        )))
    }
}

impl Report for Forgotten {
    fn json(&self) -> serde_json::Value {
        let receipts: Vec<_> = self.rows.iter().map(receipt::json).collect();
        json!({ "dry_run": false, "erased": receipts, "unknown": self.unknown })
    }

    fn text(&self, lang: Lang) -> String {
        let block = |row: &Erasure| {
            let openid = escape(row.openid.as_deref().unwrap_or_default()).into_owned();
            format!("{openid}\n{}", receipt::text(row, lang))
        };
        self.rows.iter().map(block).collect::<Vec<_>>().join("\n")
    }
}

/// What would be done.
struct Planned {
    account: String,
    people: People,
    unknown: Vec<String>,
}

impl Report for Planned {
    fn json(&self) -> serde_json::Value {
        let people: Vec<_> = self
            .people
            .iter()
            .map(|(openid, known)| {
                json!({
                    "account": self.account,
                    "openid": openid,
                    "erased_already": known.is_erased(),
                    "tags": known.tags,
                    "messages": known.messages,
                })
            })
            .collect();
        json!({ "dry_run": true, "erased": people, "unknown": self.unknown })
    }

    fn text(&self, lang: Lang) -> String {
        let line = |(openid, known): &(String, Known)| -> Text {
            let (openid, tags, messages) = (escape(openid), known.tags, known.messages);
            match known.is_erased() {
                true => say!("{openid} is erased already"; "{openid} 早已清除"),
                false => say!(
                    "{openid} would be erased: the profile, {tags} tags, the text of {messages} callbacks";
                    "{openid} 将被清除：资料、{tags} 个标签、{messages} 条回调的内容"
                ),
            }
        };
        self.people.iter().map(|person| line(person).in_lang(lang).to_owned()).collect::<Vec<_>>().join("\n")
    }
}

struct Checked(chain::Verified);

async fn verify(context: &mut Context, app: &App) -> Result<()> {
    let found = chain::verify(app).await?;
    let broken = found.broken;
    context.out.show(&Checked(found))?;
    match broken {
        None => Ok(()),
        Some((seq, why)) => Err(Error::failed(say!(
            "receipt {seq} does not fit into the chain: {why}";
            "第 {seq} 号回执与链不符：{why}"
        ))
        .next(say!(
            "somebody has changed the table erasure: compare it with a backup";
            "erasure 表被改动过：请与备份比对"
        ))),
    }
}

impl Report for Checked {
    fn json(&self) -> serde_json::Value {
        let broken = self.0.broken.map(|(seq, why)| json!({ "seq": seq, "why": why }));
        json!({ "receipts": self.0.receipts, "hash": self.0.last, "broken": broken })
    }

    fn text(&self, lang: Lang) -> String {
        let (count, now) = (self.0.receipts, time_local(chrono::Utc::now().timestamp_millis()));
        match &self.0.last {
            Some(hash) => say!(
                "{count} receipts fit at {now}; the hash of the last is {hash}";
                "{now}：{count} 份回执相符；最后一份的哈希为 {hash}"
            ),
            None => say!("no receipt fits or there is none"; "没有相符的回执，或尚无回执"),
        }
        .in_lang(lang)
        .to_owned()
    }
}
