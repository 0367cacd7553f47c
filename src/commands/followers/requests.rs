//! `wxops followers requests`: requests to be forgotten, in user_delete_request.

use super::forget::Forgotten;
use super::receipt;
use crate::app::App;
use crate::commands::Context;
use crate::config;
use crate::erase::{self, Why};
use crate::error::{Error, Kind, Lang, Result};
use crate::report::{Column, Report, Row, escape};
use crate::say;
use crate::store::Request;
use serde_json::{Value, json};
use std::time::Duration;

/// Requests read at a time: as many as a person can look through, or a job do.
const MOST: i64 = 10_000;
/// Digits of a telephone that are shown.
const SHOWN: usize = 4;

/// List requests to be forgotten, or do what they ask for
///
/// They stand in the table user_delete_request, which the company's own system
/// writes. --apply erases each person of an open request as followers forget
/// does, and sets its status to 1 in the same transaction. A request of somebody
/// unknown stays open and is named; exit 3.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops followers requests --apply")]
pub struct Requests {
    /// Only those that are not done
    #[arg(long)]
    open: bool,
    /// Do what the open ones ask for
    #[arg(long)]
    apply: bool,
    /// Wait at most so long for every store to confirm
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = config::duration)]
    wait: Duration,
    /// Say which would be done, change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,
}

const COLUMNS: &[Column] = &[
    Column("USER ID", "用户编号"),
    Column("PHONE", "手机"),
    Column("OPENID", "OPENID"),
    Column("TYPE", "类型"),
    Column("STATUS", "状态"),
];

impl Requests {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        if !self.apply {
            let rows = app.store.requests(self.open, MOST).await?;
            let mut list = context.out.list(COLUMNS);
            rows.iter().try_for_each(|row| list.row(row))?;
            return list.end().map(drop);
        }
        let account = app.config.official(None)?.name.clone();
        let open = app.store.requests(true, MOST).await?;
        let mut done = Applied { dry_run: self.dry_run, done: Vec::new(), unknown: Vec::new(), erased: None };
        if !self.dry_run && !open.is_empty() {
            let count = open.len();
            let deed = say!(
                "this erases the people of {count} requests from account {account} for good";
                "将从账号 {account} 中永久清除 {count} 条请求所涉的用户"
            );
            context.confirm(self.yes, deed).await?;
        }
        for request in open {
            let known = app.store.known(&account, &request.openid).await?;
            if !known.is_known() {
                done.unknown.push(request);
                continue;
            }
            if !self.dry_run {
                erase::erase(&app, &account, &request.openid, &known, Why::Asked(&request)).await?;
            }
            done.done.push(request);
        }
        if !self.dry_run {
            let mut openids: Vec<String> = done.done.iter().map(|request| request.openid.clone()).collect();
            openids.sort();
            openids.dedup();
            let rows = erase::settled(&app, &account, &openids, self.wait).await?;
            done.erased = Some(Forgotten { rows, unknown: Vec::new() });
        }
        context.out.report(&done)?;
        done.all_known(&account)?;
        done.erased.as_ref().map_or(Ok(()), Forgotten::confirmed)
    }
}

/// What was done, or would be.
struct Applied {
    dry_run: bool,
    done: Vec<Request>,
    unknown: Vec<Request>,
    erased: Option<Forgotten>,
}

impl Applied {
    fn all_known(&self, account: &str) -> Result<()> {
        if self.unknown.is_empty() {
            return Ok(());
        }
        let name = |request: &Request| format!("{} ({})", escape(&request.user_id), escape(&request.openid));
        let count = self.unknown.len();
        let list = self.unknown.iter().map(name).collect::<Vec<_>>().join(", ");
        Err(Error::new(
            Kind::Partial,
            say!(
                "{count} requests stay open, their openids are not known in account {account}: {list}";
                "{count} 条请求未处理，账号 {account} 中没有其 openid：{list}"
            ),
        )
        .next(say!(
            "another --account, a wrong openid, or never a follower: then set status = 1 yourself";
            "可能属于其他账号（--account）、openid 有误，或从未关注：若属后者请自行将 status 设为 1"
        )))
    }
}

/// 138****1234: enough to find the row by.
fn shortened(phone: &str) -> String {
    let letters = phone.chars().count();
    if letters <= SHOWN {
        return "*".repeat(letters);
    }
    let end: String = phone.chars().skip(letters - SHOWN).collect();
    format!("{}{end}", "*".repeat(letters - SHOWN))
}

fn request_json(row: &Request) -> Value {
    json!({
        "user_id": row.user_id,
        "phone": row.phone.as_deref().map(shortened),
        "openid": row.openid,
        "status": row.status,
        "type": row.kind,
    })
}

impl Row for Request {
    fn json(&self) -> Value {
        request_json(self)
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.user_id.clone(),
            self.phone.as_deref().map(shortened).unwrap_or_default(),
            self.openid.clone(),
            self.kind.to_string(),
            if self.status == 0 { "open".into() } else { "done".into() },
        ]
    }
}

impl Report for Applied {
    fn json(&self) -> Value {
        let list = |rows: &[Request]| rows.iter().map(request_json).collect::<Vec<_>>();
        let erased = self.erased.as_ref().map(|erased| erased.rows.iter().map(receipt::json).collect::<Vec<_>>());
        json!({ "dry_run": self.dry_run, "done": list(&self.done), "unknown": list(&self.unknown), "erased": erased })
    }

    fn text(&self, lang: Lang) -> String {
        let done = self.done.len();
        match self.dry_run {
            true => say!("{done} requests would be done"; "将处理 {done} 条请求"),
            false => say!("{done} requests are done"; "已处理 {done} 条请求"),
        }
        .in_lang(lang)
        .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_is_shortened() {
        assert_eq!(shortened("13800001234"), "*******1234");
        assert_eq!(shortened("1234"), "****");
        assert_eq!(shortened("电话12345"), "***2345");
    }
}
